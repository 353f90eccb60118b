using System.Runtime.InteropServices;
using Kernels.Cpu.ParaRnn;

namespace Kernels.Tests;

/// <summary>What the parallel solvers promise: shooting the sequential bits, Newton the truth about its convergence.</summary>
public sealed class ParaRnnSolverTests
{
    private const int LongestOfAll = 4097, Long = 65_536;

    // Newton's default tolerance in float, which is also its promise.
    private const double Promise = 1e-6;

    public static TheoryData<string, string> VariantsAndCells => ParaRnnCases.VariantsAndCells();

    public static TheoryData<string> Cells =>
        new(ParaRnnCases.Cells.Select(cell => cell.Name).Where(name => !name.StartsWith("step", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Cells))]
    public void ShootingIsSequentialBitForBitAtEveryLength(string name)
    {
        RnnCase cell = ParaRnnCases.Cell(name);
        foreach ((int channels, double spread) in new[] { (1, 0.5), (3, 2.0) })
        {
            var data = new RnnData<float>(cell, new(1, LongestOfAll, channels), spread);
            data.Run(RnnSolver.Sequential, default);
            // A sequence's beginning is the same whatever follows it.
            float[] sequential = [.. data.States];
            for (int length = 1; length <= LongestOfAll; length += channels == 1 ? 1 : 37)
            {
                var shape = new RnnShape(1, length, channels);
                SolveReport report = cell.Forward<float>(
                    data.Gates.AsSpan(0, (int)shape.Elements(cell.GateCount)), data.Weights, data.States.AsSpan(0, (int)shape.Elements(cell.StateCount)), shape,
                    new() { Solver = RnnSolver.MultipleShooting });
                Assert.Equal(RnnSolver.MultipleShooting, report.Solver);
                int count = (int)shape.Elements(cell.StateCount);
                Assert.True(MemoryMarshal.AsBytes(sequential.AsSpan(0, count)).SequenceEqual(MemoryMarshal.AsBytes(data.States.AsSpan(0, count))),
                    $"{length} steps, {channels} channels");
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(VariantsAndCells))]
    public void ShootingIsSequentialForAllVariantsSegmentsAndWeights(string variant, string name)
    {
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        foreach (double spread in new[] { 0.05, 1, 4 })
        {
            foreach ((int sequences, int channels, int segments) in new[] { (1, 1, 0), (2, 3, 7), (1, 20, 3), (1, 1, 700) })
            {
                var data = new RnnData<float>(ParaRnnCases.Cell(name), new(sequences, 700, channels), spread);
                data.Run(RnnSolver.Sequential, kernel);
                float[] sequential = [.. data.States];
                Array.Clear(data.States);
                SolveReport report = data.Run(RnnSolver.MultipleShooting, kernel, segments: segments);
                Assert.Equal(MemoryMarshal.AsBytes<float>(sequential), MemoryMarshal.AsBytes<float>(data.States));
                Assert.True(report.Converged == (report.SequentialSteps == 0) && report.Sweeps is >= 1 and <= 3);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void ShootingOfLongSequences(string name)
    {
        var data = new RnnData<float>(ParaRnnCases.Cell(name), new(1, Long, 1));
        data.Run(RnnSolver.Sequential, default);
        float[] sequential = [.. data.States];
        Array.Clear(data.States);
        SolveReport report = data.Run(RnnSolver.Auto, default);
        Assert.Equal(MemoryMarshal.AsBytes<float>(sequential), MemoryMarshal.AsBytes<float>(data.States));
        Assert.True(report.Converged && report.Reason.Length > 0);
    }

    [Fact]
    public void ShootingFinishesSequentiallyWhatDoesNotMeet()
    {
        // h' = tanh(4 h + x) with |x| small keeps the sign it started with: a run-in from zero guesses, and guesses wrong half of the time.
        RnnCase cell = ParaRnnCases.Cell("elman");
        var data = new RnnData<float>(cell, new(1, 4096, 1));
        for (int t = 0; t < 4096; t++)
            data.Gates[t] = (t == 0 ? 1 : 0.01f) * MathF.CopySign(1, data.Gates[t]);
        data.Weights[0] = 4;
        data.Run(RnnSolver.Sequential, default);
        float[] sequential = [.. data.States];
        SolveReport report = data.Run(RnnSolver.MultipleShooting, default, maxSweeps: 2);
        Assert.False(report.Converged);
        Assert.InRange(report.SequentialSteps, 1, 4095);
        Assert.Equal(sequential, data.States);
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void NewtonSaysConvergedOnlyWhereItIs(string name)
    {
        RnnCase cell = ParaRnnCases.Cell(name);
        int converged = 0, all = 0;
        foreach (double spread in new[] { 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4 })
        {
            for (int seed = 1; seed <= 20; seed++, all++)
            {
                var data = new RnnData<float>(cell, new(1, 1500, 1), spread, seed);
                SolveReport report = data.Run(RnnSolver.Newton, default);
                Assert.Equal(report.Converged, report.SequentialSteps == 0);
                if (report.Converged)
                {
                    converged++;
                    Assert.InRange(report.Residual, 0, Promise);
                    Assert.InRange(data.LargestError(), 0, Promise);
                }
                else
                    Assert.InRange(data.LargestError(), 0, cell.Name == "elman" || spread > 1 ? 3 : 1e-4);
            }
        }
        // The promise would be easy to keep by never claiming anything.
        Assert.InRange(converged, all / 4, all);
    }

    [Fact]
    public void NewtonSolvesALinearRecurrenceAtOnce()
    {
        var data = new RnnData<double>(ParaRnnCases.Cell("mingru"), new(1, 5000, 3));
        SolveReport report = data.Run(RnnSolver.Newton, default);
        // One iteration solves it, the next sees that nothing is left to do.
        Assert.True(report.Converged);
        Assert.InRange(report.Iterations, 1, 2);
        Assert.InRange(data.LargestError(), 0, 1e-13);
    }

    [Fact]
    public void QuasiNewtonAndDampingConvergeMoreSlowlyToTheSame()
    {
        RnnCase cell = ParaRnnCases.Cell("lstm");
        var data = new RnnData<float>(cell, new(1, 2000, 2), 0.1);
        SolveReport full = data.Run(RnnSolver.Newton, default);
        SolveReport quasi = cell.Forward<float>(data.Gates, data.Weights, data.States, data.Shape,
            new() { Solver = RnnSolver.Newton, DiagonalJacobian = true, MaxIterations = 40 });
        Assert.InRange(data.LargestError(), 0, Promise);
        SolveReport damped = cell.Forward<float>(data.Gates, data.Weights, data.States, data.Shape,
            new() { Solver = RnnSolver.Newton, Damping = 0.5, MaxIterations = 60 });
        Assert.InRange(data.LargestError(), 0, Promise);
        Assert.True(full.Converged && quasi.Converged && damped.Converged);
        Assert.True(full.Iterations < quasi.Iterations && full.Iterations < damped.Iterations, $"{full}, {quasi}, {damped}");
    }

    [Fact]
    public void NewtonWithTooFewIterationsSaysSoAndIsStillRight()
    {
        var data = new RnnData<float>(ParaRnnCases.Cell("gru"), new(1, 2000, 1), 0.5);
        SolveReport report = data.Cell.Forward<float>(data.Gates, data.Weights, data.States, data.Shape,
            new() { Solver = RnnSolver.Newton, MaxIterations = 1 });
        Assert.False(report.Converged);
        Assert.Equal(2000, report.SequentialSteps);
        Assert.InRange(data.LargestError(), 0, 2 * Promise);
    }

    // Break-evens as measured (docs/families/para_rnn.md): by channels for each core, by length, and by what a second thread saves.
    [Theory]
    // One thread, registers of 16 lanes.
    [InlineData(1, 1, 16, 1, 128, RnnSolver.Sequential, 1, "too short")]
    [InlineData(1, 1, 16, 1, 256, RnnSolver.MultipleShooting, 1, "few channels")]
    [InlineData(1, 8, 16, 1, 256, RnnSolver.MultipleShooting, 1, "few channels")]
    [InlineData(1, 16, 16, 1, 1024, RnnSolver.MultipleShooting, 1, "few channels")]
    [InlineData(1, 32, 16, 1, 1024, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(1, 23, 16, 1, 4096, RnnSolver.MultipleShooting, 1, "few channels")]
    [InlineData(1, 24, 16, 1, 4096, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(1, 48, 16, 1, 65_536, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(1, 512, 16, 1, 65_536, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(64, 1, 16, 1, 4096, RnnSolver.Sequential, 1, "busy enough")]
    // Registers of 8 lanes: three of them hold 24 channels.
    [InlineData(1, 16, 8, 1, 1024, RnnSolver.Sequential, 1, "too short")]
    [InlineData(1, 16, 8, 1, 4096, RnnSolver.MultipleShooting, 1, "few channels")]
    [InlineData(1, 24, 8, 1, 65_536, RnnSolver.Sequential, 1, "busy enough")]
    // Two threads: one does short runs alone, whichever solver runs.
    [InlineData(1, 1, 16, 2, 1024, RnnSolver.MultipleShooting, 1, "few channels")]
    [InlineData(1, 8, 16, 2, 16_384, RnnSolver.MultipleShooting, 2, "few channels")]
    [InlineData(1, 32, 16, 2, 256, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(1, 64, 16, 2, 256, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(1, 512, 16, 2, 4096, RnnSolver.Sequential, 2, "busy enough")]
    [InlineData(16, 4, 16, 2, 128, RnnSolver.Sequential, 1, "busy enough")]
    [InlineData(1, 3, 1, 2, 100, RnnSolver.Sequential, 1, "one lane")]
    [InlineData(0, 3, 16, 2, 0, RnnSolver.Sequential, 1, "nothing")]
    public void AutoChoosesByMeasuredBreakEvens(int runs, int channels, int registerLanes, int maxThreads, int steps, RnnSolver solver, int threads,
        string reason)
    {
        var choice = RnnSolverChoice.Of(new RnnSizes(runs, steps, channels, registerLanes), maxThreads);
        Assert.Equal((solver, threads), (choice.Solver, choice.Threads));
        Assert.Contains(reason, choice.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16, 1, RnnSolver.Sequential)]
    [InlineData(32, 1, RnnSolver.Sequential)]
    [InlineData(8, 1, RnnSolver.MultipleShooting)]
    [InlineData(16, 2, RnnSolver.MultipleShooting)]
    [InlineData(32, 2, RnnSolver.Sequential)]
    public void BeyondTheCacheSegmentsPayForFewerChannels(int channels, int maxThreads, RnnSolver solver) =>
        Assert.Equal(solver, RnnSolverChoice.Of(new RnnSizes(1, 65_536, channels, 16, IsBeyondCache: true), maxThreads).Solver);

    [Fact]
    public void AutoSaysWhy()
    {
        foreach ((int steps, int channels) in new[] { (4096, 512), (16, 1), (4096, 1) })
        {
            SolveReport report = new RnnData<float>(ParaRnnCases.Cell("gru"), new(1, steps, channels)).Run(RnnSolver.Auto, default);
            Assert.StartsWith(report.Solver == RnnSolver.Sequential ? "sequential: " : "segment shooting: ", report.Reason, StringComparison.Ordinal);
            Assert.True(channels == 1 && steps > 16 || report.Solver == RnnSolver.Sequential);
        }
    }
}
