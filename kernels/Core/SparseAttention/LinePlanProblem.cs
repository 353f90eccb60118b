using Kernels.Core.Checks;

namespace Kernels.Core.SparseAttention;

/// <summary>A plan of columns and diagonals for each query head, with every argument checked.</summary>
internal readonly ref struct LinePlanProblem
{
    /// <summary>The last queries, which MInference estimates patterns from.</summary>
    public const int EstimationQueries = 64;

    /// <summary>The first columns and the nearest diagonals, which it always takes.</summary>
    public const int ForcedLines = 30;

    public readonly AttentionShape Shape;
    public readonly ReadOnlySpan<float> Queries, Keys;
    public readonly int QueryCount, KeyCount;
    public readonly BlockMaskShape Mask;

    public LinePlanProblem(
        ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, in AttentionShape shape, ReadOnlySpan<VerticalSlashCounts> counts, int blockLength,
        in KernelOptions kernel)
    {
        shape.Check(nameof(shape));
        Check.Kernel(kernel);
        QueryCount = Check.Rows(queries.Length, shape.QueryRowLength, nameof(queries));
        KeyCount = Check.Rows(keys.Length, shape.KeyRowLength, nameof(keys));
        Check.Exactly(counts.Length, shape.QueryHeads, nameof(counts));
        foreach (VerticalSlashCounts count in counts)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count.Verticals, nameof(counts));
            ArgumentOutOfRangeException.ThrowIfNegative(count.Slashes, nameof(counts));
        }
        Mask = new BlockMaskShape(QueryCount, KeyCount, blockLength, blockLength, shape.QueryHeads);
        Mask.Check(nameof(blockLength));
        if ((long)shape.QueryHeads * KeyCount > Array.MaxLength)
            throw new ArgumentException($"{KeyCount} keys of {shape.QueryHeads} heads have more sums than one array holds", nameof(keys));
        Shape = shape;
        Queries = queries;
        Keys = keys;
    }
}
