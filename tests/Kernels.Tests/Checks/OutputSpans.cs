using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>Outputs of one call, each longer (or shorter) than needed by so many elements, filled beforehand.</summary>
/// <param name="extra">Elements beyond those that the call needs, of each output.</param>
/// <param name="shortened">The output that lacks one element; -1 for none.</param>
internal sealed class OutputSpans(int extra, int shortened = -1)
{
    private const byte Untouched = 0xA5;

    private readonly List<(Array Array, int Needed)> _outputs = [];

    /// <summary>The number of outputs asked for.</summary>
    public int Count => _outputs.Count;

    /// <summary>The next output of the call.</summary>
    public Span<T> Of<T>(int needed) where T : unmanaged
    {
        var array = new T[_outputs.Count == shortened ? needed - 1 : needed + extra];
        MemoryMarshal.AsBytes(array.AsSpan()).Fill(Untouched);
        _outputs.Add((array, needed));
        return array;
    }

    /// <summary>The bytes of what the call was to write.</summary>
    public byte[] Written() => [.. _outputs.SelectMany(output => BytesOf(output.Array)[..(output.Needed * ElementBytes(output.Array))])];

    /// <summary>Whether nothing behind what the call was to write has changed.</summary>
    public bool RestIsUntouched =>
        _outputs.All(output => BytesOf(output.Array).Skip(output.Needed * ElementBytes(output.Array)).All(value => value == Untouched));

    /// <summary>Whether nothing has changed at all.</summary>
    public bool AreUntouched => _outputs.All(output => BytesOf(output.Array).All(value => value == Untouched));

    private static int ElementBytes(Array array) => array.Length == 0 ? 0 : BytesOf(array).Length / array.Length;

    private static byte[] BytesOf(Array array) => array switch
    {
        BleuStatistics[] statistics => MemoryMarshal.AsBytes(statistics.AsSpan()).ToArray(),
        float[] or double[] or int[] or byte[] or sbyte[] => Primitive(array),
        _ => throw new NotSupportedException($"outputs of {array.GetType()}"),
    };

    private static byte[] Primitive(Array array)
    {
        var bytes = new byte[Buffer.ByteLength(array)];
        Buffer.BlockCopy(array, 0, bytes, 0, bytes.Length);
        return bytes;
    }
}
