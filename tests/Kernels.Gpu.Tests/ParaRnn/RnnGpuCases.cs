using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Each step of a device against the exact step from the state before it: what is off does not add up, so the bound is that of one step.</summary>
internal static class RnnGpuCases
{
    // Roundings of a step, of numbers within 1 but for the state itself: two gates of 4 units, their arguments and products, and the last sum.
    private const double StepTolerance = 2e-6;

    public static float[] Numbers(long count, int seed, float scale) => [.. GemmGpuCases.Numbers((int)count, seed).Select(value => value * scale)];

    public static void CheckSteps<TCell>(ParaRnnGpu rnn, int sequences, int steps, int channels) where TCell : struct, IDifferentiableRnnCell
    {
        var shape = new RnnShape(sequences, steps, channels);
        float[] gates = Numbers(shape.Elements(TCell.GateCount), 1, 4), weights = Numbers((long)TCell.WeightCount * channels, 2, 1.5f);
        float[] states = new float[shape.Elements(TCell.StateCount)];
        rnn.Forward<TCell>(gates, weights, states, shape);
        // Time-major: the states before the steps are the same array, one step later.
        int row = sequences * TCell.StateCount * channels;
        double[] before = [.. new double[row], .. states.Take(states.Length - row).Select(value => (double)value)], expected = new double[states.Length];
        ParaRnn.Forward<TCell, double>([.. gates.Select(value => (double)value)], [.. weights.Select(value => (double)value)], expected,
            new(sequences * steps, 1, channels), new() { InitialState = before });
        for (int i = 0; i < states.Length; i++)
            Assert.True(Math.Abs(states[i] - expected[i]) <= StepTolerance * Math.Max(1, Math.Abs(expected[i])),
                $"{typeof(TCell).Name}, state {i} is {states[i]}, expected {expected[i]}");
    }
}
