namespace TinyLlama;

/// <summary>Weights that are NaN or infinite, which shipped files do hold.</summary>
internal static class FiniteWeights
{
    /// <summary>The first value that is not finite; -1 if all are.</summary>
    public static int IndexOfOther(ReadOnlySpan<float> values)
    {
        int index = 0;
        while (index < values.Length && float.IsFinite(values[index]))
            index++;
        return index < values.Length ? index : -1;
    }

    /// <summary>Refuses a tensor by file, name and place.</summary>
    /// <param name="checkpoint">Whose it is.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="weights">Its elements, row-major.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <exception cref="InvalidDataException">One is NaN or infinite.</exception>
    public static void Check(ICheckpoint checkpoint, string name, ReadOnlySpan<float> weights, int columns)
    {
        if (IndexOfOther(weights) is >= 0 and var bad)
            throw new InvalidDataException($"{checkpoint.FileOf(name)}: {name}: the weight of output {bad / columns}, input {bad % columns} is {weights[bad]}");
    }

    /// <summary>Says why a model's numbers are not finite: by the first weight that is not, else that they grew beyond what f32 holds.</summary>
    public static InvalidDataException Explain(ICheckpoint checkpoint)
    {
        try
        {
            foreach ((string name, long[] dimensions) in checkpoint.Shape.Tensors)
                Check(checkpoint, name, checkpoint.Read(name).Span, (int)dimensions[^1]);
        }
        catch (InvalidDataException named)
        {
            return named;
        }
        return new InvalidDataException(
            $"{checkpoint.FileOf(TensorNames.Embedding)}: all weights are finite, but what the model computes from them is beyond what f32 holds");
    }
}
