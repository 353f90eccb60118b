using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>Forward passes against the oracle.</summary>
public sealed class ParaRnnForwardTests
{
    // Each step rounds some ten numbers below 2, each worth at most an ulp at 1, half of which the next step forgets.
    private const double SingleTolerance = 2e-6, DoubleTolerance = 1e-14;

    public static TheoryData<string, string> VariantsAndCells => ParaRnnCases.VariantsAndCells();

    public static TheoryData<string> Cells => ParaRnnCases.CellNames();

    [SkippableTheory]
    [MemberData(nameof(VariantsAndCells))]
    public void EverySizeAgreesWithTheOracle(string variant, string cell)
    {
        Check<float>(variant, cell, SingleTolerance);
        Check<double>(variant, cell, DoubleTolerance);
    }

    private static void Check<T>(string variant, string name, double tolerance) where T : unmanaged
    {
        RnnCase cell = ParaRnnCases.Cell(name);
        KernelOptions kernel = ParaRnnCases.Force<T>(variant);
        foreach (int channels in new[] { 0, 1, 2, 3, 5, 8, 9, 16, 17, 33, 65 })
        {
            foreach ((int sequences, int steps, RnnOrder order) in new[] { (1, 35, RnnOrder.TimeMajor), (3, 7, RnnOrder.BatchMajor), (2, 1, RnnOrder.TimeMajor),
                (0, 3, RnnOrder.TimeMajor), (2, 0, RnnOrder.BatchMajor) })
            {
                foreach (RnnSolver solver in new[] { RnnSolver.Sequential, RnnSolver.MultipleShooting, RnnSolver.Newton })
                {
                    var data = new RnnData<T>(cell, new(sequences, steps, channels, order));
                    data.Run(solver, kernel, segments: 3);
                    Assert.InRange(data.LargestError(), 0, tolerance);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void InitialStatesLengthsResetsAndDirection(string name)
    {
        foreach (RnnOrder order in Enum.GetValues<RnnOrder>())
        {
            foreach (RnnDirection direction in Enum.GetValues<RnnDirection>())
            {
                foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
                {
                    RnnData<float> data = new RnnData<float>(ParaRnnCases.Cell(name), new(6, 150, 5, order)).WithEverything(direction);
                    Array.Fill(data.States, float.NaN);
                    var final = new float[data.StateElements];
                    data.Run(solver, default, final, segments: 4);
                    Assert.InRange(data.LargestError(), 0, SingleTolerance);
                    CheckFinalStatesAndPadding(data, final);
                }
            }
        }
    }

    private static void CheckFinalStatesAndPadding(RnnData<float> data, float[] final)
    {
        int components = data.Cell.StateCount;
        for (int sequence = 0; sequence < data.Shape.SequenceCount; sequence++)
        {
            for (int channel = 0; channel < data.Shape.ChannelCount; channel++)
            {
                int length = data.LengthOf(sequence);
                double[] last = length == 0 ? data.Row(data.InitialState, components, sequence, channel)
                    : data.At(data.States, components, sequence, length - 1, channel);
                Assert.Equal(last, data.Row(final, components, sequence, channel));
                for (int time = length; time < data.Shape.StepCount; time++)
                    Assert.Equal(0, data.States[data.Index(components, sequence, time, components - 1, channel)]);
            }
        }
    }

    [Fact]
    public void FinalStateContinuesASequence()
    {
        RnnCase cell = ParaRnnCases.Cell("lstm");
        var whole = new RnnData<float>(cell, new(2, 100, 9, RnnOrder.TimeMajor));
        whole.Run(RnnSolver.Sequential, default);
        var final = new float[whole.StateElements];
        int gateRow = 2 * cell.GateCount * 9, stateRow = 2 * cell.StateCount * 9, cut = 37;
        var first = new float[cut * stateRow];
        var second = new float[(100 - cut) * stateRow];
        cell.Forward<float>(whole.Gates.AsSpan(0, cut * gateRow), whole.Weights, first, new(2, cut, 9), new() { FinalState = final });
        cell.Forward<float>(whole.Gates.AsSpan(cut * gateRow), whole.Weights, second, new(2, 100 - cut, 9), new() { InitialState = final });
        Assert.Equal(whole.States, first.Concat(second));
    }

    [Fact]
    public void NanStaysInItsChannelAndSequence()
    {
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
        {
            var data = new RnnData<float>(ParaRnnCases.Cell("gru"), new(2, 700, 3));
            var clean = new RnnData<float>(ParaRnnCases.Cell("gru"), new(2, 700, 3));
            SolveReport cleanReport = clean.Run(solver, default);
            data.Gates[data.Index(3, 1, 300, 1, 2)] = float.NaN;
            SolveReport report = data.Run(solver, default);
            Assert.True(cleanReport.Converged);
            Assert.True(report.Converged || report.SequentialSteps > 0);
            for (int t = 0; t < 700; t++)
            {
                for (int sequence = 0; sequence < 2; sequence++)
                {
                    for (int channel = 0; channel < 3; channel++)
                    {
                        double expected = clean.At(clean.States, 1, sequence, t, channel)[0], actual = data.At(data.States, 1, sequence, t, channel)[0];
                        if (t >= 300 && sequence == 1 && channel == 2)
                            Assert.True(double.IsNaN(actual));
                        else
                            // Newton's window that has the NaN is computed step after step, from its first step on.
                            Assert.InRange(Math.Abs(expected - actual), 0, solver == RnnSolver.Newton && sequence == 1 && channel == 2 ? SingleTolerance : 0);
                    }
                }
            }
        }
    }

    [Fact]
    public void AWeightThatIsNotANumberStaysInItsChannel()
    {
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
        {
            RnnCase cell = ParaRnnCases.Cell("lstm");
            RnnData<float> data = new(cell, new(1, 600, 20)), clean = new(cell, new(1, 600, 20));
            clean.Run(solver, default);
            data.Weights[20 + 18] = float.NaN;
            SolveReport report = data.Run(solver, default);
            Assert.True(report.Solver != RnnSolver.Newton || !report.Converged);
            for (int t = 0; t < 600; t++)
            {
                for (int channel = 0; channel < 20; channel++)
                {
                    float expected = clean.States[(2 * t + 1) * 20 + channel], actual = data.States[(2 * t + 1) * 20 + channel];
                    Assert.True(channel == 18 ? float.IsNaN(actual) : expected == actual, $"{solver}, step {t}, channel {channel}: {actual}, not {expected}");
                }
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.MaxValue)]
    [InlineData(float.Epsilon)]
    public void ExtremeInputsGiveWhatTheOracleGives(float extreme)
    {
        foreach (RnnCase cell in ParaRnnCases.Cells.Where(c => c.Name != "mingru"))
        {
            var data = new RnnData<float>(cell, new(1, 5, 1));
            for (int gate = 0; gate < cell.GateCount; gate++)
            {
                data.Gates[data.Index(cell.GateCount, 0, 2, gate, 0)] = extreme;
                data.Run(RnnSolver.Sequential, default);
                double[][] expected = data.Expected(0, 0);
                for (int t = 0; t < 5; t++)
                {
                    double actual = data.At(data.States, cell.StateCount, 0, t, 0)[0];
                    Assert.True(double.IsNaN(expected[t][0]) ? double.IsNaN(actual) : Math.Abs(actual - expected[t][0]) <= SingleTolerance,
                        $"{cell.Name} gate {gate} = {extreme}, step {t}: {actual}, not {expected[t][0]}");
                }
            }
        }
    }

    [Fact]
    public void ThreadsAndBatchMatesDoNotShow()
    {
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
        {
            RnnData<float> data = new RnnData<float>(ParaRnnCases.Cell("lstm"), new(5, 300, 37)).WithEverything(RnnDirection.Forward);
            data.Run(solver, new() { MaxDegreeOfParallelism = 1 });
            float[] expected = [.. data.States];
            foreach (int threads in new[] { 2, 3, 7 })
            {
                Array.Clear(data.States);
                data.Run(solver, new() { MaxDegreeOfParallelism = threads });
                Assert.Equal(MemoryMarshal.AsBytes<float>(expected), MemoryMarshal.AsBytes<float>(data.States));
            }
        }
    }
}
