namespace Kernels.Tests;

/// <summary>Bad arguments: refused by name before anything is written. Memory: not a byte beyond the spans; nothing allocated once warm.</summary>
public sealed class ParaRnnArgumentTests
{
    private static readonly RnnShape s_shape = new(2, 3, 4);

    private static void Refused<TException>(string name, Func<RnnOptions<float>> options, int gates = 72, int weights = 12, int states = 24,
        RnnShape? shape = null) where TException : ArgumentException
    {
        var output = new float[states];
        Array.Fill(output, 7);
        var refused = Assert.Throws<TException>(() =>
            ParaRnn.Forward<ParaGru, float>(new float[gates], new float[weights], output, shape ?? s_shape, options()));
        Assert.Equal(name, refused.ParamName);
        Assert.All(output, number => Assert.Equal(7, number));
    }

    [Fact]
    public void WrongSizesAndOptionsAreRefusedByName()
    {
        Refused<ArgumentException>("gates", () => default, gates: 71);
        Refused<ArgumentException>("weights", () => default, weights: 13);
        Refused<ArgumentException>("states", () => default, states: 23);
        Refused<ArgumentOutOfRangeException>("shape", () => default, shape: new(-1, 3, 4));
        Refused<ArgumentOutOfRangeException>("shape", () => default, shape: new(2, 3, 4, (RnnOrder)7));
        Refused<ArgumentOutOfRangeException>("Solver", () => new() { Solver = (RnnSolver)9 });
        Refused<ArgumentOutOfRangeException>("Direction", () => new() { Direction = (RnnDirection)9 });
        Refused<ArgumentException>("InitialState", () => new() { InitialState = new float[7] });
        Refused<ArgumentException>("FinalState", () => new() { FinalState = new float[7] });
        Refused<ArgumentException>("Lengths", () => new() { Lengths = new int[3] });
        Refused<ArgumentOutOfRangeException>("Lengths", () => new() { Lengths = new[] { 3, 4 } });
        Refused<ArgumentOutOfRangeException>("Lengths", () => new() { Lengths = new[] { -1, 2 } });
        Refused<ArgumentException>("Resets", () => new() { Resets = new bool[5] });
        foreach (int count in new[] { 0, -1, int.MinValue })
        {
            Refused<ArgumentOutOfRangeException>("MaxIterations", () => new() { MaxIterations = count });
            Refused<ArgumentOutOfRangeException>("MaxSweeps", () => new() { MaxSweeps = count });
            Refused<ArgumentOutOfRangeException>("SegmentCount", () => new() { SegmentCount = count });
        }
        foreach (double number in new[] { 0, -0.0, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            Refused<ArgumentOutOfRangeException>("Damping", () => new() { Damping = number });
            Refused<ArgumentOutOfRangeException>("Tolerance", () => new() { Tolerance = number });
        }
        Refused<ArgumentOutOfRangeException>("Damping", () => new() { Damping = Math.BitIncrement(1.0) });
        Refused<ArgumentOutOfRangeException>("MaxDegreeOfParallelism", () => new() { Kernel = new() { MaxDegreeOfParallelism = -1 } });
        Refused<ArgumentException>("Variant", () => new() { Kernel = new() { Variant = "para_rnn/f32/cpu/none" } });
        Assert.Throws<NotSupportedException>(() => ParaRnn.Forward<ParaGru, Half>(new Half[72], new Half[12], new Half[24], s_shape));
    }

    [Fact]
    public void TheEndsOfTheRangesAreInThemAndTheDefaultsAreWhatTheyAreSaidToBe()
    {
        var data = new RnnData<float>(ParaRnnCases.Cell("gru"), new(1, 700, 2));
        Assert.Equal(Run(new() { Solver = RnnSolver.Newton }), Run(new() { Solver = RnnSolver.Newton, MaxIterations = 10, Tolerance = 1e-6, Damping = 1 }));
        Assert.Equal(Run(new() { Solver = RnnSolver.MultipleShooting }), Run(new() { Solver = RnnSolver.MultipleShooting, MaxSweeps = 3 }));
        Assert.Equal(1, Run(new() { Solver = RnnSolver.Newton, MaxIterations = 1 }).Iterations);
        Assert.Equal(10, Run(new() { Solver = RnnSolver.Newton, Damping = double.Epsilon }).Iterations);
        Assert.False(Run(new() { Solver = RnnSolver.Newton, Tolerance = double.Epsilon }).Converged);
        Assert.True(Run(new() { Solver = RnnSolver.Newton, Tolerance = double.MaxValue, MaxIterations = int.MaxValue }).Converged);
        foreach (int segments in new[] { 1, 700, int.MaxValue })
            Assert.InRange(Run(new() { Solver = RnnSolver.MultipleShooting, SegmentCount = segments, MaxSweeps = int.MaxValue }).Sweeps, 1, 700);
        Assert.True(Run(default).Converged);

        SolveReport Run(RnnOptions<float> options)
        {
            SolveReport report = data.Cell.Forward<float>(data.Gates, data.Weights, data.States, data.Shape, options);
            Assert.InRange(data.LargestError(), 0, options.Tolerance > 1 ? double.MaxValue : 2e-6);
            return report;
        }
    }

    [Theory]
    [InlineData(typeof(RnnOptions<float>))]
    [InlineData(typeof(RnnGradientOptions<float>))]
    [InlineData(typeof(AffineScanOptions<float>))]
    [InlineData(typeof(KernelOptions))]
    [InlineData(typeof(RnnShape))]
    public void DefaultIsNew(Type options) => Assert.Null(options.GetConstructor(Type.EmptyTypes));

    [Fact]
    public void OverlapIsRefused()
    {
        var memory = new float[100];
        Assert.Equal("states", Assert.Throws<ArgumentException>(() =>
            ParaRnn.Forward<DiagonalElman, float>(memory.AsSpan(0, 24), new float[4], memory.AsSpan(23, 24), s_shape)).ParamName);
        Assert.Equal("gateGradients", Assert.Throws<ArgumentException>(() =>
            ParaRnn.Backward<DiagonalElman, float>(memory.AsSpan(0, 24), new float[4], new float[24], new float[24], memory.AsSpan(1, 24), new float[4],
            s_shape)).ParamName);
    }

    [Fact]
    public void WrongGradientAndScanArgumentsAreRefusedByName()
    {
        Assert.Equal("stateGradients", Assert.Throws<ArgumentException>(() =>
            ParaRnn.Backward<DiagonalElman, float>(new float[24], new float[4], new float[24], new float[23], new float[24], new float[4], s_shape)).ParamName);
        Assert.Equal("weightGradients", Assert.Throws<ArgumentException>(() =>
            ParaRnn.Backward<DiagonalElman, float>(new float[24], new float[4], new float[24], new float[24], new float[24], new float[3], s_shape)).ParamName);
        Assert.Equal("FinalStateGradient", Assert.Throws<ArgumentException>(() =>
            ParaRnn.Backward<DiagonalElman, float>(new float[24], new float[4], new float[24], new float[24], new float[24], new float[4], s_shape,
            new() { FinalStateGradient = new float[1] })).ParamName);
        Assert.Equal("blockSize", Assert.Throws<ArgumentOutOfRangeException>(() =>
            AffineScan.Compute<float>(new float[24], new float[24], new float[24], s_shape, 5)).ParamName);
        Assert.Equal("matrices", Assert.Throws<ArgumentException>(() =>
            AffineScan.Compute<float>(new float[24], new float[48], new float[48], s_shape, 2)).ParamName);
    }

    public static TheoryData<string> Variants => ParaRnnCases.Variants();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsTouchedBeyondTheSpans(string variant)
    {
        Skip.IfNot(GuardedMemory<float>.IsSupported, "guard pages need mmap");
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        foreach (bool guardAfter in new[] { true, false })
        {
            foreach (int channels in new[] { 1, 3, 17, 35 })
            {
                foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
                    RunGuarded(new RnnShape(2, 130, channels), solver, kernel, guardAfter);
            }
        }
    }

    private static void RunGuarded(RnnShape shape, RnnSolver solver, KernelOptions kernel, bool guardAfter)
    {
        var data = new RnnData<float>(ParaRnnCases.Cell("lstm"), shape);
        using var gates = new GuardedMemory<float>(data.Gates.Length, guardAfter);
        using var weights = new GuardedMemory<float>(data.Weights.Length, guardAfter);
        using var states = new GuardedMemory<float>(data.States.Length, guardAfter);
        using var byGates = new GuardedMemory<float>(data.Gates.Length, guardAfter);
        using var byWeights = new GuardedMemory<float>(data.Weights.Length, guardAfter);
        data.Gates.CopyTo(gates.Span);
        data.Weights.CopyTo(weights.Span);
        data.Cell.Forward<float>(gates.Span, weights.Span, states.Span, shape, new() { Solver = solver, Kernel = kernel });
        states.Span.CopyTo(data.States);
        Assert.InRange(data.LargestError(), 0, 2e-6);
        data.Cell.Backward<float>(gates.Span, weights.Span, states.Span, data.States, byGates.Span, byWeights.Span, shape, new() { Kernel = kernel });
        Assert.All(byWeights.Span.ToArray(), gradient => Assert.True(float.IsFinite(gradient)));
    }

    [Fact]
    public void NothingIsAllocatedOnceWarm()
    {
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
        {
            var data = new RnnData<float>(ParaRnnCases.Cell("gru"), new(1, 1024, 3));
            float[] byGates = new float[data.Gates.Length], byWeights = new float[data.Weights.Length];
            var one = new KernelOptions { MaxDegreeOfParallelism = 1 };
            Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
            {
                ParaRnn.Forward<ParaGru, float>(data.Gates, data.Weights, data.States, data.Shape, new() { Solver = solver, Kernel = one });
                ParaRnn.Backward<ParaGru, float>(data.Gates, data.Weights, data.States, data.States, byGates, byWeights, data.Shape, new() { Kernel = one });
            }));
        }
    }

    [Fact]
    public void CancellationEndsACall()
    {
        var data = new RnnData<float>(ParaRnnCases.Cell("gru"), new(4, 16, 64));
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => data.Run(RnnSolver.Sequential, new() { CancellationToken = source.Token }));
    }
}
