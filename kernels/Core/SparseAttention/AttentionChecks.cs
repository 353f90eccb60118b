using Kernels.Core.Checks;

namespace Kernels.Core.SparseAttention;

/// <summary>The argument checks that the attention problems share. Every message names the parameter and the value.</summary>
internal static class AttentionChecks
{
    public static void Scalars(in AttentionOptions options)
    {
        if (!float.IsFinite((float)(options.Scale ?? 0)))
            throw new ArgumentOutOfRangeException(nameof(options.Scale), options.Scale, "a number that is finite as a float is needed");
        if (!float.IsFinite((float)options.SoftCap) || options.SoftCap < 0 || (options.SoftCap > 0 && (float)options.SoftCap == 0))
            throw new ArgumentOutOfRangeException(nameof(options.SoftCap), options.SoftCap, "0, or a number that is above 0 and finite as a float, is needed");
        ArgumentOutOfRangeException.ThrowIfNegative(options.Window, nameof(options.Window));
        ArgumentOutOfRangeException.ThrowIfNegative(options.SinkTokens, nameof(options.SinkTokens));
        Check.Kernel(options.Kernel);
    }

    /// <summary>Masks, slopes and outputs of the options against the sizes of the call.</summary>
    public static void Extents(in AttentionOptions options, in AttentionShape shape, int queryCount, int keyCount, int sequenceCount)
    {
        if (!options.AlibiSlopes.IsEmpty)
            Check.Exactly(options.AlibiSlopes.Length, shape.QueryHeads, nameof(options.AlibiSlopes));
        long pairs = (long)queryCount * keyCount;
        Mask(options.AdditiveMask.Length, pairs, shape, sequenceCount, nameof(options.AdditiveMask));
        Mask(options.BooleanMask.Length, pairs, shape, sequenceCount, nameof(options.BooleanMask));
        if (options.BlockMask is { } mask)
            Blocks(mask.Shape, shape, queryCount, keyCount, sequenceCount);
        if (!options.LogSumExp.IsEmpty)
            Check.AtLeast(options.LogSumExp.Length, (long)queryCount * shape.QueryHeads, nameof(options.LogSumExp));
        if (options.ColumnSums.IsEmpty)
            return;
        Check.AtLeast(options.ColumnSums.Length, (long)shape.QueryHeads * keyCount, nameof(options.ColumnSums));
        if (options.SharedPrefix)
            throw new ArgumentException("column sums of a shared prefix are not defined: it belongs to several sequences", nameof(options.ColumnSums));
    }

    private static void Mask(int length, long pairs, in AttentionShape shape, int sequenceCount, string name)
    {
        if (length == 0)
            return;
        if (sequenceCount != 1)
            throw new ArgumentException($"a mask serves one sequence, and there are {sequenceCount}", name);
        if (length != pairs && length != pairs * shape.QueryHeads)
            throw new ArgumentException($"{length} elements are neither one for each pair ({pairs}) nor one for each head and pair", name);
    }

    private static void Blocks(in BlockMaskShape mask, in AttentionShape shape, int queryCount, int keyCount, int sequenceCount)
    {
        const string name = nameof(AttentionOptions.BlockMask);
        if (sequenceCount != 1)
            throw new ArgumentException($"a mask serves one sequence, and there are {sequenceCount}", name);
        if (mask.QueryCount != queryCount || mask.KeyCount != keyCount)
            throw new ArgumentException($"a mask of {mask.QueryCount} x {mask.KeyCount} for {queryCount} queries and {keyCount} keys", name);
        if (shape.QueryHeads % mask.HeadCount != 0)
            throw new ArgumentException($"{mask.HeadCount} masks do not divide {shape.QueryHeads} query heads", name);
    }

    /// <summary>Offsets of sequences: from 0 to the count, never descending.</summary>
    public static void Offsets(ReadOnlySpan<int> offsets, int count, string name)
    {
        if (offsets.IsEmpty)
            return;
        if (offsets[0] != 0 || offsets[^1] != count)
            throw new ArgumentException($"offsets go from {offsets[0]} to {offsets[^1]} instead of 0 to {count}", name);
        for (int i = 1; i < offsets.Length; i++)
        {
            if (offsets[i] < offsets[i - 1])
                throw new ArgumentException($"offset {offsets[i]} follows {offsets[i - 1]}: offsets must not descend", name);
        }
    }
}
