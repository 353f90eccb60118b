using System.Buffers;
using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Primitives;
using Kernels.Managed;

namespace Kernels;

/// <summary>How many columns and diagonals a head's pattern has (MInference).</summary>
/// <param name="Verticals">Key columns; more than there are means all.</param>
/// <param name="Slashes">Diagonals; more than there are means all.</param>
public readonly record struct VerticalSlashCounts(int Verticals, int Slashes);

// Plans: which blocks and pairs to attend to, found from the queries and keys themselves; then Attend with the mask.
public static partial class SparseAttention
{
    // The query and key rows that MInference estimates patterns from, and the first columns and nearest diagonals that it always takes.
    private const int EstimationQueries = 64, ForcedLines = 30;

    /// <summary>Top-k blocks of keys for each query and key-value head, as in InfLLM v2 (arXiv 2509.24663), causal.</summary>
    /// <remarks>
    /// Compressed keys are means of keys; a query sees those whose last key is not after it. Softmax over them for each query head, summed over a group; a block's score is the largest within a window of
    /// BlockLength / CompressedStride + 1 compressed keys that begins one before the block. Forced blocks come first, then the best (ties by lower index); no block after the query's own is taken.
    /// Who sees no more blocks than he takes takes all of them. O(M N / CompressedStride d), on all threads; results do not depend on their number. Variants differ in the last bits of scores, so that
    /// blocks whose scores are equal within rounding may take each other's place.
    /// </remarks>
    /// <param name="queries">[M, query heads, d], at the last positions of the keys.</param>
    /// <param name="keys">[N, key-value heads, d].</param>
    /// <param name="shape">The heads.</param>
    /// <param name="options">Sizes of blocks and of compressed keys, and how to run.</param>
    /// <returns>A mask of 1 x BlockLength blocks for each key-value head, to be used with <see cref="AttentionOptions.Causal"/>.</returns>
    /// <exception cref="ArgumentException">Sizes do not match or are out of range.</exception>
    /// <exception cref="NotFiniteNumberException">A query, or a key of a compressed one, is not finite, or a logit is above 2^21: blocks have no order.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static unsafe BlockMask PlanTopKBlocks(ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, AttentionShape shape, TopKBlockOptions options = default)
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
                throw new NotFiniteNumberException($"a query or key is not finite, or a logit above 2^21: the blocks of query {row % mask.QueryCount} have no order");
            int none = blocks.IndexOf(BlockPlanCall.NoBlock);
            blocks[..(none < 0 ? count : none)].CopyTo(selected.AsSpan(end));
            end += none < 0 ? count : none;
            offsets[row + 1] = end;
        }
        return BlockMask.FromCsr(mask, offsets, selected.AsSpan(0, end));
    }

    /// <summary>The columns and diagonals with the most attention of the last queries, for each query head (MInference, arXiv 2407.02490).</summary>
    /// <remarks>
    /// The last 64 queries' causal probabilities over all keys are summed along columns and along diagonals; the first 30 columns and the nearest 30 diagonals are always taken. At least one diagonal, the query's
    /// own key, is. O(64 N d) for each head, on the caller's thread.
    /// </remarks>
    /// <param name="queries">[M, query heads, d], at the last positions of the keys.</param>
    /// <param name="keys">[N, key-value heads, d].</param>
    /// <param name="shape">The heads.</param>
    /// <param name="counts">For each query head how many of each.</param>
    /// <param name="blockLength">R and C of the mask.</param>
    /// <exception cref="ArgumentException">Sizes do not match or a count is negative.</exception>
    /// <exception cref="NotFiniteNumberException">A query or key is not finite: columns and diagonals have no order.</exception>
    public static BlockMask PlanVerticalSlash(ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, AttentionShape shape, ReadOnlySpan<VerticalSlashCounts> counts, int blockLength = 64)
    {
        shape.Check(nameof(shape));
        int queryCount = Check.Rows(queries.Length, shape.QueryRowLength, nameof(queries)), keyCount = Check.Rows(keys.Length, shape.KeyRowLength, nameof(keys));
        Check.Exactly(counts.Length, shape.QueryHeads, nameof(counts));
        var mask = new BlockMaskShape(queryCount, keyCount, blockLength, blockLength, shape.QueryHeads);
        mask.Check(nameof(blockLength));
        int[][] verticals = new int[shape.QueryHeads][], slashes = new int[shape.QueryHeads][];
        float[] columns = new float[keyCount], diagonals = new float[keyCount];
        for (int head = 0; head < shape.QueryHeads; head++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(counts[head].Verticals, nameof(counts));
            ArgumentOutOfRangeException.ThrowIfNegative(counts[head].Slashes, nameof(counts));
            SumLines(queries, keys, shape, head, queryCount, keyCount, columns, diagonals);
            verticals[head] = Largest(columns, counts[head].Verticals);
            slashes[head] = Largest(diagonals, Math.Max(1, counts[head].Slashes));
        }
        return BlockMask.VerticalSlash(mask, verticals, slashes);
    }

    private static ReadOnlySpan<float> Row(ReadOnlySpan<float> rows, int heads, int d, int token, int head) => rows.Slice((token * heads + head) * d, d);

    // sums += softmax(q K^T / sqrt(d)) over the first rows.
    private static void AddProbabilities(ReadOnlySpan<float> query, ReadOnlySpan<float> rows, int count, Span<float> probabilities, Span<float> sums)
    {
        float largest = float.NegativeInfinity, scale = 1 / MathF.Sqrt(query.Length);
        for (int i = 0; i < count; i++)
        {
            probabilities[i] = scale * Dot(query, rows.Slice(i * query.Length, query.Length));
            largest = MathF.Max(largest, probabilities[i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += probabilities[i] = MathF.Exp(probabilities[i] - largest);
        if (!double.IsFinite(sum))
            throw new NotFiniteNumberException($"a query or key is not finite: the sum of the exponentials of {count} logits is {sum}", sum);
        for (int i = 0; i < count; i++)
            sums[i] += (float)(probabilities[i] / sum);
    }

    private static void SumLines(ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, in AttentionShape shape, int head, int queryCount, int keyCount, Span<float> columns, Span<float> diagonals)
    {
        int d = shape.HeadDimension;
        float[] own = ArrayPool<float>.Shared.Rent(Math.Max(1, keyCount * d)), probabilities = ArrayPool<float>.Shared.Rent(Math.Max(1, keyCount)), sums = ArrayPool<float>.Shared.Rent(Math.Max(1, keyCount));
        columns.Clear();
        diagonals.Clear();
        for (int key = 0; key < keyCount; key++)
            Row(keys, shape.KeyValueHeads, d, key, head / shape.GroupSize).CopyTo(own.AsSpan(key * d));
        for (int query = Math.Max(0, queryCount - EstimationQueries); query < queryCount; query++)
        {
            int position = query + keyCount - queryCount;
            Array.Clear(sums);
            AddProbabilities(Row(queries, shape.QueryHeads, d, query, head), own, Math.Max(0, position + 1), probabilities, sums);
            for (int key = 0; key <= position; key++)
            {
                columns[key] += sums[key];
                diagonals[position - key] += sums[key];
            }
        }
        columns[..Math.Min(ForcedLines, keyCount)].Fill(float.PositiveInfinity);
        diagonals[..Math.Min(ForcedLines, keyCount)].Fill(float.PositiveInfinity);
        ArrayPool<float>.Shared.Return(own);
        ArrayPool<float>.Shared.Return(probabilities);
        ArrayPool<float>.Shared.Return(sums);
    }

    private static int[] Largest(ReadOnlySpan<float> scores, int count)
    {
        var largest = new int[Math.Min(scores.Length, count)];
        TopKSelection.Select(scores, largest);
        return largest;
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> sum = default;
        int i = 0;
        for (; i + Vector<float>.Count <= a.Length; i += Vector<float>.Count)
            sum += new Vector<float>(a[i..]) * new Vector<float>(b[i..]);
        float total = Vector.Sum(sum);
        for (; i < a.Length; i++)
            total += a[i] * b[i];
        return total;
    }
}
