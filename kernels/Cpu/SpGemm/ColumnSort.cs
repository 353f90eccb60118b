using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Cpu.SpGemm;

/// <summary>
/// Sorts the columns of a row, which are all different: few by rank, many in a bitmap of two levels, and many of a very wide matrix by comparison.
/// </summary>
internal readonly unsafe struct ColumnSort(ulong* bits, ulong* summary, long columnCount)
{
    // A word of the summary stands for 64 words of bits, each for 64 columns.
    private const int WordLog = 6, WordMask = 63;

    /// <summary>Columns that may be read, and are written, behind the keys.</summary>
    public const int Padding = 16;

    private readonly ulong* _bits = bits, _summary = summary;
    private readonly long _columnCount = columnCount;

    /// <summary>Words of bits, and of their summary, for so many columns.</summary>
    public static (long Bits, long Summary) Words(long columnCount) => ((columnCount >> WordLog) + 1, (columnCount >> (2 * WordLog)) + 1);

    /// <summary>Writes the keys to <paramref name="sorted"/>, rising. Keys may change, and so may the <see cref="Padding"/> behind them.</summary>
    public void Sort(int* keys, int count, int* sorted)
    {
        if (count <= SpGemmTuning.RankLimit && Vector128.IsHardwareAccelerated)
            ByRank(keys, count, sorted);
        else if (_bits != null && _columnCount >> (2 * WordLog) <= count)
            ByBitmap(keys, count, sorted);
        else
            ByComparison(keys, count, sorted);
    }

    private static void ByComparison(int* keys, int count, int* sorted)
    {
        new Span<int>(keys, count).Sort();
        new Span<int>(keys, count).CopyTo(new Span<int>(sorted, count));
    }

    // Of columns that are all different, each one's place is the number of smaller ones.
    private static void ByRank(int* keys, int count, int* sorted)
    {
        for (int i = 0; i < Padding; i++)
            keys[count + i] = int.MaxValue;
        if (Vector512.IsHardwareAccelerated)
            ByRank512(keys, count, sorted);
        else if (Vector256.IsHardwareAccelerated)
            ByRank256(keys, count, sorted);
        else
            ByRank128(keys, count, sorted);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ByRank512(int* keys, int count, int* sorted)
    {
        Vector512<int> first = Vector512.Load(keys);
        for (int i = 0; i < count; i++)
        {
            Vector512<int> key = Vector512.Create(keys[i]);
            int rank = BitOperations.PopCount(Vector512.LessThan(first, key).ExtractMostSignificantBits());
            for (int j = Vector512<int>.Count; j < count; j += Vector512<int>.Count)
                rank += BitOperations.PopCount(Vector512.LessThan(Vector512.Load(keys + j), key).ExtractMostSignificantBits());
            sorted[rank] = keys[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ByRank256(int* keys, int count, int* sorted)
    {
        Vector256<int> first = Vector256.Load(keys), second = Vector256.Load(keys + Vector256<int>.Count);
        for (int i = 0; i < count; i++)
        {
            Vector256<int> key = Vector256.Create(keys[i]);
            int rank = BitOperations.PopCount(Vector256.LessThan(first, key).ExtractMostSignificantBits())
                + BitOperations.PopCount(Vector256.LessThan(second, key).ExtractMostSignificantBits());
            for (int j = 2 * Vector256<int>.Count; j < count; j += Vector256<int>.Count)
                rank += BitOperations.PopCount(Vector256.LessThan(Vector256.Load(keys + j), key).ExtractMostSignificantBits());
            sorted[rank] = keys[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ByRank128(int* keys, int count, int* sorted)
    {
        for (int i = 0; i < count; i++)
        {
            Vector128<int> key = Vector128.Create(keys[i]);
            int rank = 0;
            for (int j = 0; j < count; j += Vector128<int>.Count)
                rank += BitOperations.PopCount(Vector128.LessThan(Vector128.Load(keys + j), key).ExtractMostSignificantBits());
            sorted[rank] = keys[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ByBitmap(int* keys, int count, int* sorted)
    {
        ulong* bits = _bits, summary = _summary;
        for (int i = 0; i < count; i++)
        {
            int key = keys[i];
            bits[key >> WordLog] |= 1UL << (key & WordMask);
            summary[key >> (2 * WordLog)] |= 1UL << ((key >> WordLog) & WordMask);
        }
        int* end = sorted + count;
        for (long block = 0; sorted < end; block++)
        {
            ulong words = summary[block];
            summary[block] = 0;
            for (; words != 0; words &= words - 1)
            {
                long word = (block << WordLog) + BitOperations.TrailingZeroCount(words);
                int first = (int)(word << WordLog);
                ulong marks = bits[word];
                bits[word] = 0;
                for (; marks != 0; marks &= marks - 1)
                    *sorted++ = first + BitOperations.TrailingZeroCount(marks);
            }
        }
    }
}
