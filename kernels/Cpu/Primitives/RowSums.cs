using System.Numerics;

namespace Kernels.Cpu.Primitives;

/// <summary>Sums of rows, element by element.</summary>
internal static class RowSums
{
    /// <summary>sums += row.</summary>
    public static void Add(Span<float> sums, ReadOnlySpan<float> row)
    {
        int i = 0;
        for (; i <= sums.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(sums[i..]) + new Vector<float>(row[i..])).CopyTo(sums[i..]);
        for (; i < sums.Length; i++)
            sums[i] += row[i];
    }
}
