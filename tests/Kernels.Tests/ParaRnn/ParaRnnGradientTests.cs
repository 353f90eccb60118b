using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>Backward passes against the reverse loop of the oracle and against differences of the loss.</summary>
public sealed class ParaRnnGradientTests
{
    // The oracle differentiates by differences of fourth order, good to some 1e-12 of a derivative near 1; gradients by weights sum up to 100 steps.
    private const double DoubleTolerance = 1e-9;

    // A step's derivative has some fifteen roundings in float, and gradients by weights sum up to 100 steps of numbers near 1.
    private const double SingleTolerance = 5e-5;

    public static TheoryData<string, string> VariantsAndCells => ParaRnnCases.VariantsAndCells();

    public static TheoryData<string> Cells => ParaRnnCases.CellNames();

    [SkippableTheory]
    [MemberData(nameof(VariantsAndCells))]
    public void EverySizeAgreesWithTheReverseLoop(string variant, string name)
    {
        Check<double>(variant, name, DoubleTolerance);
        Check<float>(variant, name, SingleTolerance);
    }

    private static void Check<T>(string variant, string name, double tolerance) where T : unmanaged
    {
        KernelOptions kernel = ParaRnnCases.Force<T>(variant);
        foreach ((int sequences, int steps, int channels) in new[] { (1, 1, 1), (2, 66, 3), (1, 9, 17), (1, 3, 65), (3, 0, 4), (0, 5, 4), (1, 5, 0) })
        {
            foreach (RnnDirection direction in Enum.GetValues<RnnDirection>())
            {
                var data = new RnnData<T>(ParaRnnCases.Cell(name), new(sequences, steps, channels));
                if (sequences > 1)
                    data.WithEverything(direction);
                data.Direction = direction;
                data.Run(RnnSolver.Sequential, kernel);
                Compare(data, new Gradients<T>(data, kernel), tolerance);
            }
        }
    }

    /// <summary>Runs the library's backward pass from random gradients.</summary>
    private sealed class Gradients<T> where T : unmanaged
    {
        public Gradients(RnnData<T> data, KernelOptions kernel)
        {
            ByStates = ParaRnnCases.Normal<T>(data.States.Length, 1, 11);
            ByFinal = ParaRnnCases.Normal<T>(data.StateElements, 1, 12);
            ByGates = new T[data.Gates.Length];
            ByWeights = new T[data.Weights.Length];
            ByStart = new T[data.StateElements];
            Array.Fill(ByGates, Element.FromDouble<T>(double.NaN));
            data.Cell.Backward<T>(data.Gates, data.Weights, data.States, ByStates, ByGates, ByWeights, data.Shape, new()
            {
                Direction = data.Direction,
                InitialState = data.InitialState,
                Lengths = data.Lengths,
                Resets = data.Resets,
                FinalStateGradient = ByFinal,
                InitialStateGradient = ByStart,
                Kernel = kernel,
            });
        }

        public T[] ByStates { get; }

        public T[] ByFinal { get; }

        public T[] ByGates { get; }

        public T[] ByWeights { get; }

        public T[] ByStart { get; }
    }

    private static void Compare<T>(RnnData<T> data, Gradients<T> actual, double tolerance) where T : unmanaged
    {
        RnnCase cell = data.Cell;
        for (int channel = 0; channel < data.Shape.ChannelCount; channel++)
        {
            var weightSums = new double[cell.WeightCount];
            for (int sequence = 0; sequence < data.Shape.SequenceCount; sequence++)
            {
                int length = data.LengthOf(sequence), s = sequence, c = channel;
                double[][] gradients = [.. Enumerable.Range(0, length).Select(position => data.At(actual.ByStates, cell.StateCount, s, position, c))];
                double[] start = data.Row(data.InitialState, cell.StateCount, sequence, channel);
                var expected = ParaRnnOracle.Backward(
                    cell.Step, data.GatesOf(sequence, channel), data.WeightsOf(channel), start, data.Expected(sequence, channel), gradients,
                    data.Row(actual.ByFinal, cell.StateCount, sequence, channel),
                    data.ResetsOf(sequence));
                for (int position = 0; position < length; position++)
                    AssertClose(expected.Gates[position], data.At(actual.ByGates, cell.GateCount, sequence, position, channel), tolerance);
                AssertClose(expected.Start, data.Row(actual.ByStart, cell.StateCount, sequence, channel), tolerance);
                for (int time = length; time < data.Shape.StepCount; time++)
                    Assert.Equal(0, Element.ToDouble(actual.ByGates[data.Index(cell.GateCount, sequence, time, 0, channel)]));
                for (int i = 0; i < weightSums.Length; i++)
                    weightSums[i] += expected.Weights[i];
            }
            for (int i = 0; i < weightSums.Length; i++)
                AssertClose([weightSums[i]], [Element.ToDouble(actual.ByWeights[i * data.Shape.ChannelCount + channel])], tolerance);
        }
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(Math.Abs(expected[i] - actual[i]), 0, tolerance * Math.Max(1, Math.Abs(expected[i])));
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void DifferencesOfTheLoss(string name)
    {
        // L = sum of c[i] h[i]^2 / 2 over all states; the library's own forward pass in double, moved by h in one number.
        const double h = 1e-5;
        RnnCase cell = ParaRnnCases.Cell(name);
        var data = new RnnData<double>(cell, new(2, 40, 3));
        double[] factors = ParaRnnCases.Normal<double>(data.States.Length, 1, 3);
        double Loss()
        {
            data.Run(RnnSolver.Sequential, default);
            return data.States.Select((state, i) => factors[i] * state * state / 2).Sum();
        }

        Loss();
        double[] byStates = [.. data.States.Select((state, i) => factors[i] * state)];
        double[] states = [.. data.States], byGates = new double[data.Gates.Length], byWeights = new double[data.Weights.Length];
        cell.Backward<double>(data.Gates, data.Weights, states, byStates, byGates, byWeights, data.Shape, default);
        Assert.All(Enumerable.Range(0, data.Weights.Length), i => Assert.InRange(Math.Abs(Slope(data.Weights, i) - byWeights[i]), 0, 1e-7));
        Assert.All(Enumerable.Range(0, 40).Select(i => i * 5), i => Assert.InRange(Math.Abs(Slope(data.Gates, i) - byGates[i]), 0, 1e-7));

        double Slope(double[] numbers, int index)
        {
            double number = numbers[index];
            numbers[index] = number + h;
            double above = Loss();
            numbers[index] = number - h;
            double below = Loss();
            numbers[index] = number;
            return (above - below) / (2 * h);
        }
    }

    [Fact]
    public void ThreadsDoNotShow()
    {
        RnnData<float> data = new RnnData<float>(ParaRnnCases.Cell("lstm"), new(5, 300, 37)).WithEverything(RnnDirection.Forward);
        data.Run(RnnSolver.Sequential, default);
        var expected = new Gradients<float>(data, new() { MaxDegreeOfParallelism = 1 });
        foreach (int threads in new[] { 2, 3, 7 })
        {
            var actual = new Gradients<float>(data, new() { MaxDegreeOfParallelism = threads });
            Assert.Equal(MemoryMarshal.AsBytes<float>(expected.ByGates), MemoryMarshal.AsBytes<float>(actual.ByGates));
            Assert.Equal(MemoryMarshal.AsBytes<float>(expected.ByWeights), MemoryMarshal.AsBytes<float>(actual.ByWeights));
            Assert.Equal(MemoryMarshal.AsBytes<float>(expected.ByStart), MemoryMarshal.AsBytes<float>(actual.ByStart));
        }
    }

    [Fact]
    public void JacobiansByHandAreThoseByDualNumbers()
    {
        Check<ParaGru, AutomaticDerivatives<StepOnlyGru>>();
        Check<ParaLstm, AutomaticDerivatives<StepOnlyLstm>>();

        static void Check<TByHand, TAutomatic>()
            where TByHand : struct, IDifferentiableRnnCell
            where TAutomatic : struct, IDifferentiableRnnCell
        {
            int s = TByHand.StateCount;
            for (int seed = 0; seed < 200; seed++)
            {
                double[] gates = ParaRnnCases.Normal<double>(TByHand.GateCount, 2, seed),
                    weights = ParaRnnCases.Normal<double>(TByHand.WeightCount, 2, seed + 1), state = ParaRnnCases.Normal<double>(s, 1, seed + 2);
                double[] next = new double[s], byHand = new double[s * s], automatic = new double[s * s];
                TByHand.StepWithJacobian<double, PlainArithmetic>(new(gates), new(weights), new(state), new(next), new(byHand));
                TAutomatic.StepWithJacobian<double, PlainArithmetic>(new(gates), new(weights), new(state), new(next), new(automatic));
                for (int i = 0; i < s * s; i++)
                    Assert.InRange(Math.Abs(byHand[i] - automatic[i]), 0, 1e-14);
            }
        }
    }

    /// <summary>A user's arithmetic on plain doubles.</summary>
    private readonly struct PlainArithmetic : IRnnArithmetic<double>
    {
        public static double Constant(double value) => value;

        public static double Add(double a, double b) => a + b;

        public static double Subtract(double a, double b) => a - b;

        public static double Multiply(double a, double b) => a * b;

        public static double Divide(double a, double b) => a / b;

        public static double MultiplyAdd(double a, double b, double c) => a * b + c;

        public static double Sigmoid(double a) => 1 / (1 + Math.Exp(-a));

        public static double Tanh(double a) => Math.Tanh(a);
    }
}
