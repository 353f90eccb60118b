namespace Kernels.Perf;

/// <summary>An array read from a file: row-major, at least one dimension.</summary>
/// <param name="Name">Its name in the file; the file's name where arrays have none.</param>
/// <param name="Dimensions">Slowest first.</param>
/// <param name="Values">A <c>float[]</c>, <c>double[]</c>, <c>Half[]</c> or <c>BrainFloat16[]</c>.</param>
internal sealed record InputTensor(string Name, IReadOnlyList<int> Dimensions, Array Values)
{
    public int RowLength => Dimensions[^1];
}

/// <summary>A file that cannot be read, with the reason.</summary>
internal sealed class InputFormatException : FormatException
{
    public InputFormatException(string path, string reason) : base($"{path}: {reason}")
    {
    }

    public InputFormatException(TensorFileException malformed) : base(malformed.Message, malformed)
    {
    }
}
