using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Small batches on ILGPU's CPU accelerator.</summary>
[Collection(CpuAcceleratorTests.Name)]
public sealed class ParaRnnGpuTests(CpuAccelerator accelerator)
{
    [Fact]
    public void EveryStepIsTheExactOne()
    {
        var rnn = new ParaRnnGpu(accelerator.Device);
        RnnGpuCases.CheckSteps<ParaGru>(rnn, 2, 60, 5);
        RnnGpuCases.CheckSteps<ParaLstm>(rnn, 3, 40, 4);
        RnnGpuCases.CheckSteps<MinGru>(rnn, 1, 50, 7);
        RnnGpuCases.CheckSteps<DiagonalElman>(rnn, 2, 70, 3);
    }

    [Theory]
    [InlineData(RnnOrder.TimeMajor, RnnDirection.Forward)]
    [InlineData(RnnOrder.TimeMajor, RnnDirection.Reverse)]
    [InlineData(RnnOrder.BatchMajor, RnnDirection.Forward)]
    [InlineData(RnnOrder.BatchMajor, RnnDirection.Reverse)]
    public void OptionsMeanWhatTheyMeanOnTheCpu(RnnOrder order, RnnDirection direction)
    {
        var shape = new RnnShape(3, 9, 4, order);
        float[] gates = RnnGpuCases.Numbers(shape.Elements(3), 3, 2), weights = RnnGpuCases.Numbers(5 * 4, 4, 0.5f),
            initial = RnnGpuCases.Numbers(3 * 2 * 4, 5, 1);
        int[] lengths = [9, 0, 5];
        bool[] resets = [.. Enumerable.Range(0, 27).Select(i => i % 5 == 3)];
        float[] expected = new float[shape.Elements(2)], actual = new float[expected.Length + 1], expectedFinal = new float[initial.Length],
            actualFinal = new float[initial.Length];
        actual[^1] = 42;
        ParaRnn.Forward<ParaLstm, float>(gates, weights, expected, shape,
            new() { Direction = direction, InitialState = initial, Lengths = lengths, Resets = resets, FinalState = expectedFinal });
        new ParaRnnGpu(accelerator.Device)
            .Forward<ParaLstm>(gates, weights, actual, shape, new()
            {
                Direction = direction,
                InitialState = initial,
                Lengths = lengths,
                Resets = resets,
                FinalState = actualFinal
            });
        // Five steps and less from each reset, and weights of at most a half: roundings of few steps.
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5);
        for (int i = 0; i < initial.Length; i++)
            Assert.Equal(expectedFinal[i], actualFinal[i], 1e-5);
        Assert.Equal(42, actual[^1]);
        Assert.Equal(initial.Skip(8).Take(8), actualFinal.Skip(8).Take(8));
    }

    [Fact]
    public void SpecialValuesStayInTheirChannel()
    {
        var rnn = new ParaRnnGpu(accelerator.Device);
        var shape = new RnnShape(1, 6, 3);
        float[] gates = RnnGpuCases.Numbers(shape.Elements(3), 3, 2), weights = RnnGpuCases.Numbers(9, 4, 0.5f), expected = new float[18],
            actual = new float[18];
        rnn.Forward<ParaGru>(gates, weights, expected, shape);
        gates[2 * 9 + 1] = float.NaN;
        gates[3 * 9 + 2] = float.PositiveInfinity;
        rnn.Forward<ParaGru>(gates, weights, actual, shape);
        for (int step = 0; step < 6; step++)
        {
            Assert.Equal(expected[3 * step], actual[3 * step]);
            Assert.Equal(step >= 2, float.IsNaN(actual[3 * step + 1]));
            // An open gate: finite.
            Assert.True(float.IsFinite(actual[3 * step + 2]));
        }
    }

    [Fact]
    public void FunctionsKeepTheirBounds()
    {
        const double unit = 1.0 / (1 << 23);
        for (float a = -110; a < 110; a += 0.0137f)
        {
            double sigmoid = 1 / (1 + Math.Exp(-(double)a)), tanh = Math.Tanh(a);
            Assert.InRange(Math.Abs(GpuMath.Sigmoid(a) - sigmoid), 0, 4 * unit * Math.Min(1, Math.Max(sigmoid, 1e-30)));
            Assert.InRange(Math.Abs(GpuMath.Tanh(a) - tanh), 0, 5 * unit * Math.Abs(tanh));
        }
        foreach (float a in new[] { 0f, -0f, 1e-30f, float.Epsilon })
            Assert.Equal(a, GpuMath.Tanh(a));
        Assert.Equal((1f, -1f, 1f, 0f), (GpuMath.Tanh(float.PositiveInfinity), GpuMath.Tanh(float.NegativeInfinity), GpuMath.Sigmoid(float.PositiveInfinity),
            GpuMath.Sigmoid(float.NegativeInfinity)));
        Assert.True(float.IsNaN(GpuMath.Tanh(float.NaN)) && float.IsNaN(GpuMath.Sigmoid(float.NaN)));
    }

    [Fact]
    public void BadArgumentsAreNamed()
    {
        GpuDevice device = accelerator.Device;
        var rnn = new ParaRnnGpu(device);
        var shape = new RnnShape(1, 2, 3);
        float[] gates = new float[18], weights = new float[9], states = new float[6];
        Assert.Throws<ArgumentException>("gates", () => rnn.Forward<ParaGru>(new float[17], weights, states, shape));
        Assert.Throws<ArgumentException>("states", () => rnn.Forward<ParaGru>(gates, weights, new float[5], shape));
        Assert.Throws<NotSupportedException>(() => rnn.Forward<ParaGru>(gates, weights, states, shape, new() { Solver = RnnSolver.Newton }));
        Assert.Throws<ArgumentException>("Variant", () =>
            rnn.Forward<ParaGru>(gates, weights, states, shape, new() { Kernel = new() { Variant = "nonsense" } }));
        Assert.Throws<OperationCanceledException>(() =>
            rnn.Forward<ParaGru>(gates, weights, states, shape, new() { Kernel = new() { CancellationToken = new(canceled: true) } }));
        Assert.Throws<NotSupportedException>(() => rnn.Forward<AutomaticDerivatives<ParaGru>>(gates, weights, states, shape));
        using GpuBuffer<float> many = device.Allocate<float>(18), few = device.Allocate<float>(5), all = device.Allocate<float>(9);
        using GpuBuffer<int> none = device.Allocate<int>(0);
        Assert.Throws<ArgumentException>("states", () => rnn.Forward<ParaGru>(many, all, few, shape));
        Assert.Throws<ArgumentException>("states", () => rnn.Forward<ParaGru>(many, all, many, shape));
        Assert.Throws<ArgumentException>("weights", () => rnn.Forward<ParaGru>(many, few, all, shape));
        Assert.Throws<ArgumentException>("Lengths", () =>
            rnn.Forward<ParaGru>(many, weights: all, states: device.Allocate<float>(6), shape, new RnnGpuBuffers { Lengths = none }));
        Assert.Throws<ArgumentOutOfRangeException>("direction", () =>
            rnn.Forward<ParaGru>(many, all, device.Allocate<float>(6), shape, direction: (RnnDirection)7));
    }
}
