namespace Kernels;

/// <summary>A file, or a tensor in it, that is not what it should be: says which file, which tensor and where, by byte or, for text, by line.</summary>
public sealed class TensorFileException : FormatException
{
    internal TensorFileException(string fileName, string? tensorName, long? offset, string reason, Exception? inner = null)
        : base($"{fileName}{(tensorName is null ? "" : $": {tensorName}")}{(offset is null ? "" : $": at byte {offset}")}: {reason}", inner)
    {
        FileName = fileName;
        TensorName = tensorName;
        Offset = offset;
    }

    internal TensorFileException(string fileName, long line, string reason)
        : base($"{fileName}, line {line}: {reason}")
    {
        FileName = fileName;
        Line = line;
    }

    /// <summary>The file as it was opened.</summary>
    public string FileName { get; }

    /// <summary>The tensor at fault; null where it is the file as a whole.</summary>
    public string? TensorName { get; }

    /// <summary>The byte of the file at which the fault was noticed; null where it has no place.</summary>
    public long? Offset { get; }

    /// <summary>The line of a text file at fault, from 1 on; null for other files.</summary>
    public long? Line { get; }
}
