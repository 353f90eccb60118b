using System.Buffers.Binary;

namespace Kernels.Tests;

/// <summary>Reads one of the files of scores that others gave; each was written by a script beside it, which describes the layout.</summary>
internal sealed class StoredScores(byte[] content)
{
    private int _position;

    /// <summary>A file within the test assembly.</summary>
    public static StoredScores Open(string name)
    {
        using Stream stream = typeof(StoredScores).Assembly.GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new StoredScores(content);
    }

    public byte[] Bytes(int count) => content[_position..(_position += count)];

    public int Number() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(sizeof(int)));

    /// <summary>Ids of one byte each, behind their number.</summary>
    public long[] Tokens() => [.. Bytes(Bytes(1)[0]).Select(b => (long)b)];

    public double[] Doubles(int count) => [.. Enumerable.Range(0, count).Select(_ => BinaryPrimitives.ReadDoubleLittleEndian(Bytes(sizeof(double))))];
}
