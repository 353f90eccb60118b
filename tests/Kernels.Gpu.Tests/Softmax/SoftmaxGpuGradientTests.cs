using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Gradients of small rows on ILGPU's CPU accelerator: groups of four threads.</summary>
[Collection(CpuAcceleratorTests.Name)]
public sealed class SoftmaxGpuGradientTests(CpuAccelerator accelerator)
{
    private const int GroupSize = 4;

    private readonly GpuDevice _device = accelerator.Device;

    private SoftmaxGpu Small() => new(_device, new SoftmaxGpuLaunch(GroupSize, ChunkLength: 8, ChunkCapacity: 16));

    [Theory]
    [InlineData(1)]
    [InlineData(GroupSize - 1)]
    [InlineData(GroupSize)]
    [InlineData(GroupSize + 1)]
    [InlineData(8 * GroupSize + 3)]
    public void BothFormsAgreeWithTheDefinition(int rowLength)
    {
        using SoftmaxGpu softmax = Small();
        foreach (bool isLog in new[] { false, true })
        {
            SoftmaxGpuGradientCases.Run(softmax, isLog, rowCount: 3, rowLength);
            SoftmaxGpuGradientCases.Run(softmax, isLog, rowCount: 2, rowLength, scale: -0.125);
        }
    }

    /// <summary>
    /// What took no part has no influence, whatever stands there; what is not finite and took part shows in its row's gradient, and in no other row's.
    /// </summary>
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void SpecialValuesStayWhereTheyBelong(float special)
    {
        using SoftmaxGpu softmax = Small();
        float[] p = [0.25f, 0, 0.75f, 0.5f, 0.5f, 0], actual = new float[6];
        softmax.Backward<float>([2, special, -2, 3, special, special], p, actual, 3);
        Assert.Equal([0.75f, 0, -0.75f], actual[..3]);
        Assert.False(float.IsFinite(actual[3]) || float.IsFinite(actual[4]));
        Assert.Equal(0, actual[5]);
        float[] l = [MathF.Log(0.25f), float.NegativeInfinity, MathF.Log(0.75f), MathF.Log(0.5f), MathF.Log(0.5f), float.NegativeInfinity];
        softmax.LogBackward<float>([2, special, -2, 3, special, special], l, actual, 3);
        Assert.Equal([2, 0, -2], actual[..3]);
        Assert.False(float.IsFinite(actual[3]) || float.IsFinite(actual[4]));
        Assert.Equal(0, actual[5]);
    }

    [Fact]
    public void AnyLogarithmIsAnExponentWithoutOverflow()
    {
        using SoftmaxGpu softmax = Small();
        float[] l = [0, -1e-6f, -80, -87.5f, -95, -103, -104.5f, -1e6f, float.MinValue], actual = new float[l.Length];
        foreach (float logarithm in l)
        {
            softmax.LogBackward<float>([0, -1], [logarithm, float.Log(0.5f)], actual.AsSpan(0, 2), 2);
            double expected = Math.Exp(logarithm);
            Assert.InRange((double)actual[0], expected * (1 - 1e-6) - float.Epsilon, expected * (1 + 1e-6) + float.Epsilon);
        }
    }

    [Fact]
    public void SixteenBitTypesAreRoundedOnce()
    {
        const int rowLength = 11;
        using SoftmaxGpu softmax = Small();
        (Half[] g, Half[] p) = SoftmaxGpuGradientCases.Inputs(isLog: false, 2, rowLength, x => (Half)x);
        var halves = new Half[g.Length];
        softmax.Backward<Half>(g, p, halves, rowLength);
        SoftmaxGpuGradientCases.Check(false, Doubles(g), Doubles(p), Doubles(halves), rowLength, 1, (Math.Pow(2, -11), Math.Pow(2, -25)));
        (BrainFloat16[] gb, BrainFloat16[] lb) = SoftmaxGpuGradientCases.Inputs(isLog: true, 2, rowLength, x => (BrainFloat16)(float)x);
        var brains = new BrainFloat16[gb.Length];
        softmax.LogBackward<BrainFloat16>(gb, lb, brains, rowLength);
        SoftmaxGpuGradientCases.Check(true, Doubles(gb), Doubles(lb), Doubles(brains), rowLength, 1, (Math.Pow(2, -8), 0));

        static double[] Doubles<T>(T[] values) => Array.ConvertAll(values, x => x is Half half ? (double)half : (float)(BrainFloat16)(object)x!);
    }

    [Fact]
    public void TheOutputMayBeEitherInputAndARowStandsForItself()
    {
        const int rowLength = 9;
        (float[] g, float[] p) = SoftmaxGpuGradientCases.Inputs(isLog: false, 4, rowLength, x => (float)x);
        float[] apart = new float[g.Length], actual = new float[g.Length];
        using SoftmaxGpu softmax = Small();
        softmax.Backward<float>(g, p, apart, rowLength);
        foreach (bool overGradient in new[] { false, true })
        {
            using GpuBuffer<float> gradient = _device.Allocate<float>(g), probabilities = _device.Allocate<float>(p);
            GpuBuffer<float> written = overGradient ? gradient : probabilities;
            softmax.Backward(gradient, probabilities, written, rowLength);
            written.CopyTo(actual);
            Assert.Equal(apart, actual);
        }
        softmax.Backward<float>(g.AsSpan(2 * rowLength, rowLength), p.AsSpan(2 * rowLength, rowLength), actual, rowLength);
        Assert.Equal(apart.AsSpan(2 * rowLength, rowLength), actual.AsSpan(0, rowLength));
        softmax.Backward<float>([], [], [], 0);
    }

    [Fact]
    public void BadArgumentsNameTheParameterAndWriteNothing()
    {
        using SoftmaxGpu softmax = Small();
        float[] six = new float[6], five = new float[5];
        Assert.Throws<ArgumentException>("rowLength", () => softmax.Backward<float>(six, six, six, 4));
        Assert.Throws<ArgumentException>("probabilities", () => softmax.Backward<float>(six, five, six, 3));
        Assert.Throws<ArgumentException>("logitGradient", () => softmax.LogBackward<float>(six, six, five, 3));
        Assert.Throws<NotSupportedException>(() => softmax.Backward<float>(six, six, six, 3, new() { SoftCap = 3, Logits = six }));
        using GpuBuffer<float> buffer = _device.Allocate<float>([1, 2, 3, 4, 5, 6]), shorter = _device.Allocate<float>(5), longer = _device.Allocate<float>(7);
        Assert.Throws<ArgumentNullException>("outputGradient", () => softmax.Backward(null!, buffer, buffer, 3));
        Assert.Throws<ArgumentException>("rowLength", () => softmax.Backward(buffer, buffer, buffer, 4));
        Assert.Throws<ArgumentException>("logProbabilities", () => softmax.LogBackward(buffer, shorter, buffer, 3));
        Assert.Throws<ArgumentException>("probabilities", () => softmax.Backward(buffer, longer, buffer, 3));
        Assert.Throws<ArgumentException>("logitGradient", () => softmax.Backward(buffer, buffer, shorter, 3));
        Assert.Throws<ArgumentOutOfRangeException>("Scale", () => softmax.Backward(buffer, buffer, buffer, 3, new() { Scale = double.NaN }));
        Assert.Throws<OperationCanceledException>(() =>
            softmax.Backward(buffer, buffer, buffer, 3, new() { Kernel = new() { CancellationToken = new CancellationToken(canceled: true) } }));
        using GpuDevice other = GpuDevice.Open(GpuDeviceKind.Cpu);
        using GpuBuffer<float> foreign = other.Allocate<float>(6);
        Assert.Throws<ArgumentException>("logitGradient", () => softmax.Backward(buffer, buffer, foreign, 3));
        var unchanged = new float[6];
        buffer.CopyTo(unchanged);
        Assert.Equal([1, 2, 3, 4, 5, 6], unchanged);
    }
}

/// <summary>Realistic rows through OpenCL, with groups of 256 threads.</summary>
[Collection(PoclTests.Name)]
public sealed class SoftmaxGpuGradientPoclTests(PoclDevice pocl)
{
    [SkippableTheory]
    [InlineData(5, 255)]
    [InlineData(3, 1000)]
    [InlineData(2, 50_257)]
    public void BothFormsAgreeWithTheDefinition(int rowCount, int rowLength)
    {
        using var softmax = new SoftmaxGpu(pocl.OrSkip());
        SoftmaxGpuGradientCases.Run(softmax, isLog: false, rowCount, rowLength);
        SoftmaxGpuGradientCases.Run(softmax, isLog: true, rowCount, rowLength, scale: 3);
    }
}
