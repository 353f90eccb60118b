namespace Kernels.Tests;

/// <summary>A batch of random sequences of one cell, with the oracle's answers channel by channel.</summary>
internal sealed class RnnData<T> where T : unmanaged
{
    public RnnData(RnnCase cell, RnnShape shape, double weightSpread = 0.5, int seed = 1)
    {
        Cell = cell;
        Shape = shape;
        Gates = ParaRnnCases.Normal<T>(shape.Elements(cell.GateCount), 1, seed);
        Weights = ParaRnnCases.Normal<T>((long)cell.WeightCount * shape.ChannelCount, weightSpread, seed + 1);
        States = new T[shape.Elements(cell.StateCount)];
    }

    public RnnCase Cell { get; }

    public RnnShape Shape { get; }

    public T[] Gates { get; }

    public T[] Weights { get; }

    public T[] States { get; }

    public T[] InitialState { get; set; } = [];

    public int[] Lengths { get; set; } = [];

    public bool[] Resets { get; set; } = [];

    public RnnDirection Direction { get; set; }

    public int StateElements => Shape.SequenceCount * Cell.StateCount * Shape.ChannelCount;

    /// <summary>Everything that can be given: initial states, lengths from 0 on, resets.</summary>
    public RnnData<T> WithEverything(RnnDirection direction)
    {
        var random = new Random(5);
        InitialState = ParaRnnCases.Normal<T>(StateElements, 1, 6);
        Lengths = [.. Enumerable.Range(0, Shape.SequenceCount).Select(i => i == 0 ? Shape.StepCount : random.Next(Shape.StepCount + 1))];
        Resets = [.. Enumerable.Range(0, Shape.SequenceCount * Shape.StepCount).Select(_ => random.Next(20) == 0)];
        Direction = direction;
        return this;
    }

    public SolveReport Run(RnnSolver solver, KernelOptions kernel, T[]? final = null, int segments = 0, int maxSweeps = 3) =>
        Cell.Forward<T>(Gates, Weights, States, Shape, new()
        {
            Solver = solver,
            Direction = Direction,
            InitialState = InitialState,
            Lengths = Lengths,
            Resets = Resets,
            FinalState = final ?? [],
            SegmentCount = segments == 0 ? null : segments,
            MaxSweeps = maxSweeps,
            Kernel = kernel,
        });

    public int LengthOf(int sequence) => Lengths.Length == 0 ? Shape.StepCount : Lengths[sequence];

    public int TimeOf(int sequence, int position) => Direction == RnnDirection.Reverse ? LengthOf(sequence) - 1 - position : position;

    public int Index(int components, int sequence, int time, int component, int channel)
    {
        int row = Shape.Order == RnnOrder.TimeMajor ? time * Shape.SequenceCount + sequence : sequence * Shape.StepCount + time;
        return (row * components + component) * Shape.ChannelCount + channel;
    }

    public double[] At(T[] array, int components, int sequence, int position, int channel) =>
        [.. Enumerable.Range(0, components).Select(i => Element.ToDouble(array[Index(components, sequence, TimeOf(sequence, position), i, channel)]))];

    public double[] Row(T[] array, int components, int sequence, int channel) => array.Length == 0
        ? new double[components]
        : [.. Enumerable.Range(0, components).Select(i => Element.ToDouble(array[(sequence * components + i) * Shape.ChannelCount + channel]))];

    public double[][] GatesOf(int sequence, int channel) =>
        [.. Enumerable.Range(0, LengthOf(sequence)).Select(position => At(Gates, Cell.GateCount, sequence, position, channel))];

    public double[] WeightsOf(int channel) =>
        [.. Enumerable.Range(0, Cell.WeightCount).Select(i => Element.ToDouble(Weights[i * Shape.ChannelCount + channel]))];

    public Func<int, bool> ResetsOf(int sequence) => position => Resets.Length != 0 && Resets[sequence * Shape.StepCount + TimeOf(sequence, position)];

    public double[][] Expected(int sequence, int channel) => ParaRnnOracle.Forward(
        Cell.Step, GatesOf(sequence, channel), WeightsOf(channel), Row(InitialState, Cell.StateCount, sequence, channel), ResetsOf(sequence));

    /// <summary>The largest difference between the states and the oracle's; not a number where a state is none.</summary>
    public double LargestError()
    {
        double largest = 0;
        for (int sequence = 0; sequence < Shape.SequenceCount; sequence++)
        {
            for (int channel = 0; channel < Shape.ChannelCount; channel++)
            {
                double[][] expected = Expected(sequence, channel);
                for (int position = 0; position < expected.Length; position++)
                {
                    double[] actual = At(States, Cell.StateCount, sequence, position, channel);
                    for (int i = 0; i < actual.Length; i++)
                        largest = Worse(largest, Math.Abs(actual[i] - expected[position][i]));
                }
            }
        }
        return largest;
    }

    public static double Worse(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? double.NaN : Math.Max(a, b);
}
