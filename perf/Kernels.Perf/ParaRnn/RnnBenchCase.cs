namespace Kernels.Perf;

/// <summary>One sequence of the diagonal GRU.</summary>
/// <param name="Channels">Batch times hidden: to a diagonal cell they are the same.</param>
/// <param name="Steps">Its length.</param>
/// <param name="WithGradients">Whether a call is forward and backward.</param>
internal sealed record RnnBenchCase(int Channels, int Steps, bool WithGradients = false)
{
    // The spread of recurrent weights at which ParaRNN starts training at a width of some 256.
    private const double WeightSpread = 0.05;

    public string Name => $"{Channels} {(Channels == 1 ? "channel" : "channels")}, {Steps} steps{(WithGradients ? ", forward and backward" : "")}";

    public RnnShape Shape => new(1, Steps, Channels);

    public float[] Gates() => Normal(Shape.Elements(ParaGru.GateCount), 1, 1);

    public float[] Weights() => Normal(ParaGru.WeightCount * Channels, WeightSpread, 2);

    private static float[] Normal(long count, double spread, int seed)
    {
        var random = new Random(seed);
        var numbers = new float[count];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = (float)(spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return numbers;
    }

    /// <summary>The states by the book: a loop in double, from the equations. Shares no code with the library.</summary>
    public float[] StatesByTheBook(float[] gates, float[] weights, int steps)
    {
        var states = new float[(long)steps * Channels];
        var state = new double[Channels];
        for (int t = 0; t < steps; t++)
        {
            for (int c = 0; c < Channels; c++)
            {
                long x = (long)t * 3 * Channels + c;
                double h = state[c];
                double z = 1 / (1 + Math.Exp(-(weights[c] * h + gates[x]))), r = 1 / (1 + Math.Exp(-(weights[Channels + c] * h + gates[x + Channels])));
                double candidate = Math.Tanh(weights[2 * Channels + c] * h * r + gates[x + 2 * Channels]);
                state[c] = (1 - z) * h + z * candidate;
                states[(long)t * Channels + c] = (float)state[c];
            }
        }
        return states;
    }
}
