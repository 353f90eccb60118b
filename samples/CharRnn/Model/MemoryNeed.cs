namespace CharRnn;

/// <summary>What a model takes of memory, before it is asked for: sizes come from the command line or out of a file.</summary>
internal static class MemoryNeed
{
    // A weight, its gradient, and what AdamW remembers of it.
    private const int ArraysOfAWeight = 4;

    private const double Gibibyte = 1 << 30;

    /// <summary>The bytes of a model's weights in training.</summary>
    public static double OfWeights(ModelShape shape, int alphabetLength)
    {
        double hidden = shape.HiddenCount, gates = 3 * hidden;
        double elements = (CharacterModel.EmbeddingElements + hidden) * alphabetLength;
        elements += gates * CharacterModel.EmbeddingElements + (shape.LayerCount - 1) * gates * hidden;
        return elements * ArraysOfAWeight * sizeof(float);
    }

    /// <summary>The bytes of a step's rows: activations, gate inputs, states and the gradients of all of them.</summary>
    public static double OfRows(ModelShape shape, int alphabetLength, TrainingPlan plan)
    {
        double row = 2 * (CharacterModel.EmbeddingElements + alphabetLength) + (2 + 2 * 3 + 2 * 2) * (double)shape.HiddenCount * shape.LayerCount;
        return (double)plan.SequenceCount * plan.Length * row * sizeof(float);
    }

    /// <exception cref="InvalidDataException">This machine has less.</exception>
    public static void Check(double bytes, string what)
    {
        double needed = bytes / Gibibyte, available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Gibibyte;
        if (needed > available)
            throw new InvalidDataException(FormattableString.Invariant($"{what} would take some {needed:0.0} GiB of memory, and there are {available:0.0}"));
    }
}
