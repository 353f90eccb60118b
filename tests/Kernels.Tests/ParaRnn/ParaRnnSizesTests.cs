using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>Sizes whose products wrap, or that no array holds, are refused by name; empty problems of any sizes are none.</summary>
public sealed class ParaRnnSizesTests
{
    public static TheoryData<int, int, int> ShapesBeyondAnySpan => new()
    {
        { 1 << 30, 1 << 30, 16 },
        { 1 << 16, 1 << 16, 1 << 16 },
        { int.MaxValue, int.MaxValue, int.MaxValue },
        { 1 << 30, 4, 1 },
        { int.MaxValue, 0, 2 },
        { 1 << 20, 1 << 20, 0 },
        { 1 << 22, 1, 1 << 22 },
    };

    [Theory]
    [MemberData(nameof(ShapesBeyondAnySpan))]
    public void ShapesBeyondAnySpanAreRefused(int sequences, int steps, int channels)
    {
        var shape = new RnnShape(sequences, steps, channels);
        foreach (int block in new[] { 1, 4 })
        {
            Assert.Equal("shape", Assert.Throws<ArgumentOutOfRangeException>(() => AffineScan.Compute<float>([], [], [], shape, block)).ParamName);
            Assert.Equal("shape", Assert.Throws<ArgumentOutOfRangeException>(() => AffineScan.Backward<double>([], [], [], shape, block)).ParamName);
        }
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
            Refused("shape", () => ParaRnn.Forward<ParaLstm, float>([], [], [], shape, new() { Solver = solver }));
        Assert.Equal("shape", Assert.Throws<ArgumentOutOfRangeException>(() => ParaRnn.Backward<MinGru, float>([], [], [], [], [], [], shape)).ParamName);
    }

    [Fact]
    public void ElementsAreExactOrRefused()
    {
        Assert.Equal(3L << 60, new RnnShape(1 << 30, 1 << 30, 1).Elements(3));
        Assert.Throws<OverflowException>(() => new RnnShape(1 << 30, 1 << 30, 16).Elements(1));
        Assert.Throws<OverflowException>(() => new RnnShape(1 << 30, 1 << 30, 1).Elements(8));
    }

    [Theory]
    [InlineData(1 << 30, 0, 1)]
    [InlineData(1 << 30, 1, 0)]
    [InlineData(0, 1 << 30, 1 << 30)]
    [InlineData(1, 0, 1 << 29)]
    public void EmptyProblemsOfAnySizesAreNone(int sequences, int steps, int channels)
    {
        var shape = new RnnShape(sequences, steps, channels);
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
            Assert.True(ParaRnn.Forward<MinGru, float>([], [], [], shape, new() { Solver = solver }).Converged);
        ParaRnn.Backward<MinGru, float>([], [], [], [], [], [], shape);
        AffineScan.Compute<double>([], [], [], shape, 4);
        AffineScan.Backward<double>([], [], [], shape, 4);
    }

    [Fact]
    public void WithoutAStepTheGradientOfTheStartIsThatOfTheEnd()
    {
        var shape = new RnnShape(2, 0, 3);
        float[] byFinal = ParaRnnCases.Normal<float>(12, 1, 1), byStart = new float[12], byWeights = new float[15];
        Array.Fill(byWeights, float.NaN);
        ParaRnn.Backward<ParaLstm, float>(
            [], new float[15], [], [], [], byWeights, shape, new() { FinalStateGradient = byFinal, InitialStateGradient = byStart });
        Assert.Equal(byFinal, byStart);
        Assert.All(byWeights, number => Assert.Equal(0, number));
        ParaRnn.Backward<ParaLstm, float>([], new float[15], [], [], [], byWeights, shape, new() { InitialStateGradient = byStart });
        Assert.All(byStart, number => Assert.Equal(0, number));
    }

    [Fact]
    public void LayersRefuseSizesByName()
    {
        const int large = 1 << 20;
        Refused("elementCount", () => new EmbeddingLayer("e", large, large, seed: 1));
        Refused("tokenCount", () => new EmbeddingLayer("e", 0, 1, seed: 1));
        Refused("elementCount", () => new EmbeddingLayer("e", 1, -1, seed: 1));
        Refused("outputCount", () => new LinearLayer("l", large, large, seed: 1));
        Refused("inputCount", () => new LinearLayer("l", 0, 1, seed: 1));
        Refused("outputCount", () => new LinearLayer("l", 1, 0, seed: 1));
        Refused("sectionCount", () => new LinearLayer("l", 1, 1, 0, 1, seed: 1));
        Refused("headCount", () => new LinearLayer("l", 1, 1, 1, 0, seed: 1));
        foreach (int hidden in new[] { 0, -1, int.MaxValue, 1 << 30, 715_827_883 })
        {
            Refused("hiddenCount", () => new ParaGruLayer("g", 1, hidden, seed: 1));
            Refused("hiddenCount", () => new ParaLstmLayer("g", 1, hidden, seed: 1));
        }
        Refused("inputCount", () => new ParaGruLayer("g", 0, 1, seed: 1));
        Assert.Throws<ArgumentNullException>(() => new EmbeddingLayer(null!, 1, 1, seed: 1));
        Assert.Throws<ArgumentNullException>(() => new LinearLayer(null!, 1, 1, seed: 1));
        Assert.Throws<ArgumentNullException>(() => new ParaLstmLayer(null!, 1, 1, seed: 1));

        var layer = new ParaLstmLayer("l", 3, 4, seed: 1);
        Assert.Equal(0, layer.StateElements(0));
        Refused("sequenceCount", () => layer.StateElements(-1));
        Refused("sequenceCount", () => layer.StateElements(int.MaxValue));
        Refused("sequenceCount", () => layer.Forward(new float[3], new float[4], 0));
        Assert.Equal("inputs", Assert.Throws<ArgumentException>(() => layer.Forward(new float[3], new float[4], int.MaxValue)).ParamName);
        Assert.Throws<InvalidOperationException>(() => layer.Backward([], []));
    }

    private static void Refused(string name, Func<object?> call) => Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => { call(); }).ParamName);

    [Theory]
    [InlineData(1 << 29)]
    [InlineData(1 << 30)]
    [InlineData(int.MaxValue)]
    public void AnyNumberOfThreadsCanBeAllowed(int threads)
    {
        var kernel = new KernelOptions { MaxDegreeOfParallelism = threads };
        var layer = new LinearLayer("l", 33, 35, seed: 1);
        float[] x = ParaRnnCases.Normal<float>(9 * 33, 1, 1), y = new float[9 * 35], alone = new float[y.Length];
        layer.Forward(x, alone, new() { MaxDegreeOfParallelism = 1 });
        layer.Forward(x, y, kernel);
        Assert.Equal(alone, y);
        layer.Backward(x, y, new float[x.Length], kernel);
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
        {
            var data = new RnnData<float>(ParaRnnCases.Cell("gru"), new(2, 300, 3));
            data.Run(solver, new() { MaxDegreeOfParallelism = 1 });
            float[] expected = [.. data.States];
            data.Run(solver, kernel);
            // Auto may cut segments otherwise; the bits are the same.
            Assert.Equal(expected, data.States);
        }
    }

    /// <summary>A user's cell of as many components as there can be.</summary>
    private readonly struct LargeCell : IRnnCell
    {
        public static int GateCount => 32;

        public static int StateCount => 4;

        public static int WeightCount => 32;

        public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
            where V : unmanaged
            where TMath : struct, IRnnArithmetic<V>
        {
            for (int i = 0; i < StateCount; i++)
            {
                V sum = TMath.Multiply(TMath.Constant(0.25), state[(i + 1) % StateCount]);
                for (int gate = i; gate < GateCount; gate += StateCount)
                    sum = TMath.MultiplyAdd(TMath.Constant(0.1), TMath.Multiply(weights[gate], gates[gate]), sum);
                next[i] = TMath.Tanh(sum);
            }
        }
    }

    [Fact]
    public void ASmallStackIsEnough()
    {
        // .NET itself needs some of it; no frame of the library takes 64 KiB.
        const int stackBytes = 192 * 1024;
        var shape = new RnnShape(1, 600, 3);
        float[] gates = ParaRnnCases.Normal<float>(shape.Elements(32), 1, 1), weights = ParaRnnCases.Normal<float>(32 * 3, 1, 2),
            expected = new float[shape.Elements(4)], states = new float[expected.Length];
        float[] byGates = new float[gates.Length], byWeights = new float[weights.Length], matrices = new float[shape.Elements(16)];
        ParaRnn.Forward<AutomaticDerivatives<LargeCell>, float>(gates, weights, expected, shape, new() { Solver = RnnSolver.Sequential });
        var one = new KernelOptions { MaxDegreeOfParallelism = 1 };
        float error = 0;
        var thread = new Thread(
            () =>
            {
                foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
                {
                    ParaRnn.Forward<AutomaticDerivatives<LargeCell>, float>(gates, weights, states, shape, new() { Solver = solver, Kernel = one });
                    for (int i = 0; i < states.Length; i++)
                        error = MathF.Max(error, MathF.Abs(states[i] - expected[i]));
                }
                ParaRnn.Backward<AutomaticDerivatives<LargeCell>, float>(gates, weights, states, expected, byGates, byWeights, shape, new() { Kernel = one });
                AffineScan.Compute<float>(matrices, expected, states, shape, 4, new() { Kernel = one });
            },
            stackBytes);
        thread.Start();
        thread.Join();
        Assert.InRange(error, 0, 1e-6f);
        Assert.Equal(expected, states);
    }
}
