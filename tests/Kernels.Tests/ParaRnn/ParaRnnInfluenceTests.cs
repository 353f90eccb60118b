using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>
/// What took no part has no influence, and factors of a linear cell whose products leave the range do not show: every solver, direction and order, forward and
/// backward.
/// </summary>
public sealed class ParaRnnInfluenceTests
{
    public static TheoryData<string> Variants => ParaRnnCases.Variants();

    public static TheoryData<string, RnnSolver> CellsAndSolvers
    {
        get
        {
            var data = new TheoryData<string, RnnSolver>();
            foreach (string cell in new[] { "gru", "lstm", "mingru", "elman", "step-only block of 3" })
            {
                foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
                    data.Add(cell, solver);
            }
            return data;
        }
    }

    /// <summary>All that a forward and a backward pass give.</summary>
    private sealed class Passes
    {
        public Passes(RnnData<float> data, RnnSolver solver, float beyond = 0)
        {
            Final = new float[data.StateElements];
            data.Run(solver, default, Final, segments: 4);
            States = [.. data.States];
            float[] states = [.. data.States], byStates = ParaRnnCases.Normal<float>(states.Length, 1, 11),
                byFinal = ParaRnnCases.Normal<float>(data.StateElements, 1, 12);
            Beyond(data, states, data.Cell.StateCount, beyond);
            Beyond(data, byStates, data.Cell.StateCount, beyond);
            ByGates = new float[data.Gates.Length];
            ByWeights = new float[data.Weights.Length];
            ByStart = new float[data.StateElements];
            data.Cell.Backward<float>(data.Gates, data.Weights, states, byStates, ByGates, ByWeights, data.Shape, new()
            {
                Direction = data.Direction,
                InitialState = data.InitialState,
                Lengths = data.Lengths,
                Resets = data.Resets,
                FinalStateGradient = byFinal,
                InitialStateGradient = ByStart,
            });
        }

        public float[] States { get; }

        public float[] Final { get; }

        public float[] ByGates { get; }

        public float[] ByWeights { get; }

        public float[] ByStart { get; }

        public float[][] All => [States, Final, ByGates, ByWeights, ByStart];

        public static void Beyond(RnnData<float> data, float[] array, int components, float number)
        {
            for (int sequence = 0; sequence < data.Shape.SequenceCount; sequence++)
            {
                for (int time = data.LengthOf(sequence); time < data.Shape.StepCount; time++)
                    array.AsSpan(data.Index(components, sequence, time, 0, 0), components * data.Shape.ChannelCount).Fill(number);
            }
        }
    }

    [Theory]
    [MemberData(nameof(CellsAndSolvers))]
    public void StepsBeyondALengthAndStatesBeforeAReset(string name, RnnSolver solver)
    {
        foreach (RnnOrder order in Enum.GetValues<RnnOrder>())
        {
            foreach (RnnDirection direction in Enum.GetValues<RnnDirection>())
            {
                foreach (int channels in new[] { 5, 20 })
                {
                    RnnData<float> data = Data(name, new(6, 150, channels, order), direction);
                    var clean = new Passes(data, solver);
                    foreach (float bad in new[] { float.NaN, float.NegativeInfinity, float.MaxValue })
                    {
                        Passes.Beyond(data, data.Gates, data.Cell.GateCount, bad);
                        // The first two sequences begin with a reset.
                        data.InitialState.AsSpan(0, 2 * data.Cell.StateCount * channels).Fill(bad);
                        var dirty = new Passes(data, solver, beyond: bad);
                        for (int i = 0; i < clean.All.Length; i++)
                            Assert.Equal(MemoryMarshal.AsBytes<float>(clean.All[i]), MemoryMarshal.AsBytes<float>(dirty.All[i]));
                    }
                }
            }
        }
    }

    // Sequences of full length, of none, of one step and of others; the first two begin with a reset, and all have some.
    private static RnnData<float> Data(string name, RnnShape shape, RnnDirection direction)
    {
        RnnData<float> data = new RnnData<float>(ParaRnnCases.Cell(name), shape).WithEverything(direction);
        data.Lengths = [shape.StepCount, 70, 0, 1, shape.StepCount, 33];
        for (int sequence = 0; sequence < 2; sequence++)
            data.Resets[sequence * shape.StepCount + data.TimeOf(sequence, 0)] = true;
        return data;
    }

    [Theory]
    [MemberData(nameof(CellsAndSolvers))]
    public void AStepThatIsNotANumberEndsAtTheNextReset(string name, RnnSolver solver)
    {
        const int sequence = 4, position = 60, reset = 90, channel = 3;
        foreach (RnnDirection direction in Enum.GetValues<RnnDirection>())
        {
            RnnData<float> data = Data(name, new(6, 150, 5), direction);
            int gates = data.Cell.GateCount, components = data.Cell.StateCount;
            for (int step = position; step <= reset; step++)
                data.Resets[sequence * data.Shape.StepCount + data.TimeOf(sequence, step)] = step == reset;
            var clean = new Passes(data, solver);
            data.Gates[data.Index(gates, sequence, data.TimeOf(sequence, position), 0, channel)] = float.NaN;
            var dirty = new Passes(data, solver);
            Assert.Equal(clean.Final, dirty.Final);
            for (int s = 0; s < data.Shape.SequenceCount; s++)
            {
                for (int p = 0; p < data.LengthOf(s); p++)
                {
                    for (int c = 0; c < data.Shape.ChannelCount; c++)
                    {
                        bool isOwn = s == sequence && c == channel;
                        double[] states = data.At(dirty.States, components, s, p, c), byGates = data.At(dirty.ByGates, gates, s, p, c);
                        if (!isOwn || p >= reset || (p < position && solver != RnnSolver.Newton))
                            Assert.Equal(data.At(clean.States, components, s, p, c), states);
                        else if (p < position) // Newton's window that has the NaN is computed step after step, which ends within twice the tolerance.
                            Assert.All(data.At(clean.States, components, s, p, c).Zip(states), pair => Assert.Equal(pair.First, pair.Second, 2e-6));
                        else if (p == position)
                            Assert.Contains(states, double.IsNaN);
                        // Gradients come from what follows, up to the reset.
                        if (!isOwn || p >= reset)
                            Assert.Equal(data.At(clean.ByGates, gates, s, p, c), byGates);
                    }
                }
            }
            // A step is a term of its channel's weights, and of no other's.
            for (int i = 0; i < clean.ByWeights.Length; i++)
            {
                if (i % data.Shape.ChannelCount != channel)
                    Assert.Equal(clean.ByWeights[i], dirty.ByWeights[i]);
            }
        }
    }

    /// <summary>A user's linear cell, h' = a h + b with gates a and b.</summary>
    private readonly struct LinearCell : IRnnCell
    {
        public static int GateCount => 2;

        public static int StateCount => 1;

        public static int WeightCount => 0;

        public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
            where V : unmanaged
            where TMath : struct, IRnnArithmetic<V> =>
            next[0] = TMath.MultiplyAdd(gates[0], state[0], gates[1]);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void FactorsWhoseProductsLeaveTheRangeShowInNoSolver(string variant)
    {
        const int steps = 1032;
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        foreach (int channels in new[] { 1, 3, 17 })
        {
            foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
            {
                foreach (float up in new[] { MathF.ScaleB(1, 100), MathF.ScaleB(1, -100) })
                {
                    float[] gates = new float[steps * 2 * channels], states = new float[steps * channels], initial = new float[channels];
                    for (int t = 0; t < steps; t++)
                        gates.AsSpan(t * 2 * channels, channels).Fill(t % 4 < 2 ? up : 1 / up);
                    Array.Fill(initial, 1 / up);
                    ParaRnn.Forward<AutomaticDerivatives<LinearCell>, float>(
                        gates, [], states, new(1, steps, channels), new() { Solver = solver, InitialState = initial, Kernel = kernel });
                    for (int i = 0; i < states.Length; i++)
                        Assert.Equal((i / channels % 4) switch { 1 => up, 3 => 1 / up, _ => 1 }, states[i]);
                }
            }
        }
    }
}
