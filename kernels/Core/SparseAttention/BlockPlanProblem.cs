using Kernels.Core.Checks;

namespace Kernels.Core.SparseAttention;

/// <summary>A plan of the best blocks of keys for each query, with every argument checked: backends trust it.</summary>
internal readonly ref struct BlockPlanProblem
{
    public readonly AttentionShape Shape;
    public readonly int QueryCount, KeyCount;
    public readonly TopKBlockSizes Sizes;
    public readonly BlockMaskShape Mask;

    /// <summary>Blocks taken for each query.</summary>
    public readonly int SelectedCount;

    public BlockPlanProblem(ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, in AttentionShape shape, TopKBlockOptions options)
    {
        shape.Check(nameof(shape));
        Check.Kernel(options.Kernel);
        Shape = shape;
        QueryCount = Check.Rows(queries.Length, shape.QueryRowLength, nameof(queries));
        KeyCount = Check.Rows(keys.Length, shape.KeyRowLength, nameof(keys));
        Sizes = new TopKBlockSizes(options);
        Mask = new BlockMaskShape(QueryCount, KeyCount, 1, Sizes.BlockLength, shape.KeyValueHeads);
        SelectedCount = Math.Min(Sizes.TopK, Mask.ColumnBlockCount);
        long selectedCount = (long)shape.KeyValueHeads * QueryCount * SelectedCount;
        if (selectedCount > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(options), options.TopK,
                $"{QueryCount} queries of {shape.KeyValueHeads} heads cannot take {SelectedCount} blocks each: the mask would have {selectedCount}");
    }
}

/// <summary>What a backend sees of it, at pinned addresses.</summary>
internal unsafe struct BlockPlanCall
{
    /// <summary>Fills what a row of <see cref="Selected"/> has no block for.</summary>
    public const int NoBlock = -1;

    /// <summary>Begins a row of <see cref="Selected"/> whose blocks have no order, since what they are ranked by is no number.</summary>
    public const int NoOrder = -2;

    public AttentionShape Shape;

    /// <summary>[M, query heads, d], at the last positions of the keys.</summary>
    public float* Queries;

    /// <summary>[N, key-value heads, d].</summary>
    public float* Keys;
    public int QueryCount;
    public int KeyCount;
    public TopKBlockSizes Sizes;

    /// <summary>[key-value heads, M, <see cref="SelectedCount"/>]: columns of blocks, ascending in each row, then <see cref="NoBlock"/>.</summary>
    public int* Selected;
    public int SelectedCount;

    /// <summary>The position of a query; below 0 where there are more queries than keys.</summary>
    public readonly int PositionOf(int query) => query + KeyCount - QueryCount;
}
