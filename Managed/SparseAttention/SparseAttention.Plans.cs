using Kernels.Core.SparseAttention;
using Kernels.Cpu.Primitives;
using Kernels.Managed;

namespace Kernels;


// Plans: which blocks and pairs to attend to, found from the queries and keys themselves; then Attend with the mask.
public static partial class SparseAttention
{
    /// <summary>Top-k blocks of keys for each query and key-value head, as in InfLLM v2 (arXiv 2509.24663), causal.</summary>
    /// <remarks>
    /// Compressed keys are means of keys; a query sees those whose last key is not after it. Softmax over them for each query head, summed over a group; a
    /// block's score is the largest within a window of BlockLength / CompressedStride + 1 compressed keys that begins one before the block. Forced blocks come
    /// first, then the best (ties by lower index); no block after the query's own is taken. Who sees no more blocks than he takes takes all of them. O(M N /
    /// CompressedStride d), on all threads; results do not depend on their number. Variants differ in the last bits of scores, so that blocks whose scores are
    /// equal within rounding may take each other's place.
    /// </remarks>
    /// <param name="queries">[M, query heads, d], at the last positions of the keys.</param>
    /// <param name="keys">[N, key-value heads, d].</param>
    /// <param name="shape">The heads.</param>
    /// <param name="options">Sizes of blocks and of compressed keys, and how to run.</param>
    /// <returns>A mask of 1 x BlockLength blocks for each key-value head, to be used with <see cref="AttentionOptions.Causal"/>.</returns>
    /// <exception cref="ArgumentException">Sizes do not match or are out of range.</exception>
    /// <exception cref="NotFiniteNumberException">A query, or a key of a compressed one, is not finite, or a logit is above 2^21: blocks have no
    /// order.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static unsafe BlockMask PlanTopKBlocks(ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, AttentionShape shape,
        TopKBlockOptions options = default)
    {
        var problem = new BlockPlanProblem(queries, keys, shape, options);
        ISparseAttentionBackend backend = SparseAttentionVariants.Of(KeyValueType.Float32).Select(options.Kernel);
        int rows = shape.KeyValueHeads * problem.QueryCount, count = problem.SelectedCount;
        if (rows == 0 || count == 0)
            return BlockMask.FromCsr(problem.Mask, new int[rows + 1], []);
        int[] selected = GC.AllocateUninitializedArray<int>(rows * count);
        fixed (float* pinnedQueries = queries, pinnedKeys = keys)
        fixed (int* pinnedSelected = selected)
        {
            var call = new BlockPlanCall
            {
                Shape = shape,
                Queries = pinnedQueries,
                Keys = pinnedKeys,
                QueryCount = problem.QueryCount,
                KeyCount = problem.KeyCount,
                Sizes = problem.Sizes,
                Selected = pinnedSelected,
                SelectedCount = count,
            };
            backend.PlanBlocks(call, options.Kernel);
        }
        return Rows(problem.Mask, selected, count);
    }

    // Rows of k columns, ascending, of which the last may be none, to rows of a mask.
    private static BlockMask Rows(in BlockMaskShape mask, int[] selected, int count)
    {
        int[] offsets = new int[selected.Length / count + 1];
        int end = 0;
        for (int row = 0; row < offsets.Length - 1; row++)
        {
            ReadOnlySpan<int> blocks = selected.AsSpan(row * count, count);
            if (blocks[0] == BlockPlanCall.NoOrder)
                throw new NotFiniteNumberException(
                    $"a query or key is not finite, or a logit above 2^21: the blocks of query {row % mask.QueryCount} have no order");
            int none = blocks.IndexOf(BlockPlanCall.NoBlock);
            blocks[..(none < 0 ? count : none)].CopyTo(selected.AsSpan(end));
            end += none < 0 ? count : none;
            offsets[row + 1] = end;
        }
        return BlockMask.FromCsr(mask, offsets, selected.AsSpan(0, end));
    }

    /// <summary>The columns and diagonals with the most attention of the last queries, for each query head (MInference, arXiv 2407.02490).</summary>
    /// <remarks>
    /// The last 64 queries' causal probabilities over all keys are summed along columns and along diagonals; the first 30 columns and the nearest 30 diagonals
    /// are always taken. At least one diagonal, the query's own key, is. O(64 N d) for each head, on all threads; results do not depend on their number. Lines
    /// whose sums are equal within rounding may take each other's place from variant to variant. Memory: two floats for each head and key, beside what
    /// attention of 64 queries takes.
    /// </remarks>
    /// <param name="queries">[M, query heads, d], at the last positions of the keys.</param>
    /// <param name="keys">[N, key-value heads, d].</param>
    /// <param name="shape">The heads.</param>
    /// <param name="counts">For each query head how many of each.</param>
    /// <param name="blockLength">R and C of the mask.</param>
    /// <param name="options">Variant (of f32), threads, cancellation.</param>
    /// <exception cref="ArgumentException">Sizes do not match or a count is negative.</exception>
    /// <exception cref="NotFiniteNumberException">One of the last queries or a key is not finite, or a logit is above 2^21: columns and diagonals have no
    /// order.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static BlockMask PlanVerticalSlash(
        ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, AttentionShape shape, ReadOnlySpan<VerticalSlashCounts> counts, int blockLength = 64,
        KernelOptions options = default)
    {
        var problem = new LinePlanProblem(queries, keys, shape, counts, blockLength, options);
        int keyCount = problem.KeyCount;
        float[] columns = new float[(long)shape.QueryHeads * keyCount], diagonals = new float[columns.Length];
        SumLines(problem, options, columns, diagonals);
        int[][] verticals = new int[shape.QueryHeads][], slashes = new int[shape.QueryHeads][];
        for (int head = 0; head < shape.QueryHeads; head++)
        {
            verticals[head] = Largest(columns.AsSpan(head * keyCount, keyCount), counts[head].Verticals);
            slashes[head] = Largest(diagonals.AsSpan(head * keyCount, keyCount), Math.Max(1, counts[head].Slashes));
        }
        return BlockMask.VerticalSlash(problem.Mask, verticals, slashes);
    }

    // Columns and diagonals of the last queries' causal probabilities, [query heads, keys] each.
    private static unsafe void SumLines(in LinePlanProblem problem, in KernelOptions kernel, float[] columns, float[] diagonals)
    {
        ISparseAttentionBackend backend = SparseAttentionVariants.Of(KeyValueType.Float32).Select(kernel);
        if (problem.KeyCount == 0)
            return;
        var sequence = new AttentionSequence
        {
            QueryCount = Math.Min(LinePlanProblem.EstimationQueries, problem.QueryCount),
            KeyCount = problem.KeyCount,
            Length = problem.KeyCount
        };
        fixed (float* last = problem.Queries[^(int)(sequence.QueryCount * problem.Shape.QueryRowLength)..], keys = problem.Keys, columnSums = columns,
            diagonalSums = diagonals)
        {
            var call = new AttentionCall
            {
                Shape = problem.Shape,
                Queries = last,
                Source = Rows(problem.Shape, (byte*)keys, null, sizeof(float)),
                Sequences = &sequence,
                SequenceCount = 1,
                Scale = ScaleOf(default, problem.Shape),
                Causal = true,
                ColumnSums = columnSums,
                ColumnSumStride = problem.KeyCount,
                DiagonalSums = diagonalSums,
            };
            backend.Attend(call, kernel);
        }
        FiniteScores.Check(columns, "sums along columns");
    }

    // The largest lines; the first columns and the nearest diagonals are always among them.
    private static int[] Largest(Span<float> sums, int count)
    {
        sums[..Math.Min(LinePlanProblem.ForcedLines, sums.Length)].Fill(float.PositiveInfinity);
        var largest = new int[Math.Min(sums.Length, count)];
        TopKSelection.Select(sums, largest);
        return largest;
    }
}
