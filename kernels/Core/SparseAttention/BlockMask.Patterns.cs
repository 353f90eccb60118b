using Kernels.Core.SparseAttention;

namespace Kernels;

// The published layouts. Those that are given in tokens are exact to the pair, those that are given in blocks consist of whole blocks.
public sealed partial class BlockMask
{
    /// <summary>Every pair.</summary>
    /// <param name="shape">Sizes.</param>
    public static BlockMask Dense(BlockMaskShape shape) => Build(shape, (builder, _) =>
    {
        for (int column = 0; column < shape.ColumnBlockCount; column++)
            builder.AddBlock(column);
    });

    /// <summary>Keys less than <paramref name="window"/> positions away, and the first <paramref name="sinkTokens"/> keys (StreamingLLM, "A-shape").</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="window">At least 1: the query's own position.</param>
    /// <param name="sinkTokens">At least 0.</param>
    public static BlockMask SlidingWindow(BlockMaskShape shape, int window, int sinkTokens = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(sinkTokens);
        return Build(shape, (builder, _) => AddQueries(builder, (query, position) =>
        {
            builder.AddKeys(query, 0, sinkTokens);
            AddWindow(builder, query, position, window);
        }));
    }

    /// <summary>
    /// A band of blocks, and every column of blocks whose number is -1 modulo the stride (Sparse Transformers' fixed pattern, as DeepSpeed has it).
    /// </summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="localBlocks">Blocks on each side of the diagonal, the diagonal's own included; at least 1.</param>
    /// <param name="stride">At least 1.</param>
    public static BlockMask Strided(BlockMaskShape shape, int localBlocks, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(localBlocks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        return Build(shape, (builder, _) =>
        {
            AddBand(builder, shape, localBlocks);
            for (long column = stride - 1; column < shape.ColumnBlockCount; column += stride)
                builder.AddBlock((int)column);
        });
    }

    /// <summary>A band of blocks, global first rows and columns of blocks, and random blocks (BigBird, arXiv 2007.14062).</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="localBlocks">Blocks on each side of the diagonal, the diagonal's own included; at least 1.</param>
    /// <param name="globalBlocks">Leading rows and columns that are whole; at least 0.</param>
    /// <param name="randomBlocks">Further blocks in each row, drawn with replacement; at least 0.</param>
    /// <param name="seed">The same seed draws the same blocks, on any machine.</param>
    public static BlockMask BigBird(BlockMaskShape shape, int localBlocks, int globalBlocks, int randomBlocks, int seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(localBlocks, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(globalBlocks);
        ArgumentOutOfRangeException.ThrowIfNegative(randomBlocks);
        var random = new Random(seed);
        return Build(shape, (builder, row) =>
        {
            AddBand(builder, shape, localBlocks);
            for (int column = 0; column < (row < globalBlocks ? shape.ColumnBlockCount : globalBlocks); column++)
                builder.AddBlock(column);
            for (int i = 0; i < randomBlocks && shape.ColumnBlockCount > 0; i++)
                builder.AddBlock(random.Next(shape.ColumnBlockCount));
        });
    }

    /// <summary>A window, and tokens that see and are seen by all (Longformer, arXiv 2004.05150).</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="window">At least 1: the query's own position.</param>
    /// <param name="globalTokens">Their positions among the keys.</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is no key, or the window is empty.</exception>
    public static BlockMask Longformer(BlockMaskShape shape, int window, ReadOnlySpan<int> globalTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        int[] tokens = Tokens(globalTokens, shape.KeyCount, nameof(globalTokens));
        return Build(shape, (builder, _) => AddQueries(builder, (query, position) =>
        {
            if (Array.BinarySearch(tokens, position) >= 0)
                builder.AddKeys(query, 0, shape.KeyCount);
            AddWindow(builder, query, position, window);
            foreach (int token in tokens)
                builder.AddKeys(query, token, token + 1);
        }));
    }

    /// <summary>Columns and diagonals (MInference, arXiv 2407.02490), for each head its own.</summary>
    /// <param name="shape">Sizes; as many heads as there are lists.</param>
    /// <param name="verticals">For each head the keys that every query sees.</param>
    /// <param name="slashes">For each head the distances, from 0 on, at which a query sees the key before it.</param>
    /// <exception cref="ArgumentException">There are not as many lists as heads, or an entry is out of range.</exception>
    public static BlockMask VerticalSlash(BlockMaskShape shape, IReadOnlyList<int[]> verticals, IReadOnlyList<int[]> slashes)
    {
        ArgumentNullException.ThrowIfNull(verticals);
        ArgumentNullException.ThrowIfNull(slashes);
        shape.Check(nameof(shape));
        if (verticals.Count != shape.HeadCount || slashes.Count != shape.HeadCount)
            throw new ArgumentException($"{verticals.Count} and {slashes.Count} lists for {shape.HeadCount} heads", verticals.Count != shape.HeadCount
                ? nameof(verticals) : nameof(slashes));
        int[][] columns = [.. verticals.Select(list => Tokens(list, shape.KeyCount, nameof(verticals)))];
        int[][] distances = [.. slashes.Select(list => Tokens(list, shape.KeyCount, nameof(slashes)))];
        // Distances from the largest down, so that a query's keys are 64 at a time the words of one set, shifted.
        ulong[] verticalKeys = new ulong[BitSets.WordCount(shape.KeyCount)], backwards = new ulong[verticalKeys.Length], keys = new ulong[verticalKeys.Length];
        int row = 0;
        return Build(shape, (builder, _) =>
        {
            if (row % shape.RowBlockCount == 0)
            {
                Fill(verticalKeys, columns[row / shape.RowBlockCount], 0, 1);
                Fill(backwards, distances[row / shape.RowBlockCount], shape.KeyCount - 1, -1);
            }
            row++;
            AddQueries(builder, (query, position) =>
            {
                for (int word = 0; word < keys.Length; word++)
                    keys[word] = verticalKeys[word] | BitSets.Read(backwards, shape.KeyCount - 1L - position + (long)word * BitsPerWord);
                builder.AddKeys(query, keys);
            });
        });

        static void Fill(ulong[] set, int[] numbers, int offset, int sign)
        {
            Array.Clear(set);
            foreach (int number in numbers)
                BitSets.Add(set, offset + sign * number);
        }
    }

    /// <summary>Blocks that were selected one by one: top-k, or anything else.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="selected">[heads, rows of blocks, k] columns of blocks in any order; negative ones are no block.</param>
    /// <param name="count">k, at least 1.</param>
    /// <exception cref="ArgumentException">The list does not fit the sizes, or a column is out of range or there twice in a row.</exception>
    public static BlockMask TopK(BlockMaskShape shape, ReadOnlySpan<int> selected, int count)
    {
        shape.Check(nameof(shape));
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        int rows = shape.HeadCount * shape.RowBlockCount;
        if (selected.Length != (long)rows * count)
            throw new ArgumentException($"{selected.Length} columns for {rows} rows of {count}", nameof(selected));
        var offsets = new int[rows + 1];
        var columns = new List<int>(selected.Length);
        for (int row = 0; row < rows; row++)
        {
            int[] sorted = selected.Slice(row * count, count).ToArray();
            Array.Sort(sorted);
            columns.AddRange(sorted.Where(column => column >= 0));
            offsets[row + 1] = columns.Count;
        }
        try
        {
            return FromCsr(shape, offsets, columns.ToArray());
        }
        catch (ArgumentException bad)
        {
            throw new ArgumentException(bad.Message, nameof(selected), bad);
        }
    }

    // The row's number, which the action gets, is that within its head.
    private static BlockMask Build(BlockMaskShape shape, Action<BlockMaskBuilder, int> addRow)
    {
        var builder = new BlockMaskBuilder(shape);
        for (int row = 0; row < shape.HeadCount * shape.RowBlockCount; row++)
        {
            addRow(builder, row % shape.RowBlockCount);
            builder.EndRow();
        }
        (int[] offsets, int[] columns, int[]? numbers, ulong[] bits) = builder.Finish();
        return new BlockMask(shape, offsets, columns, numbers, bits);
    }

    private static void AddQueries(BlockMaskBuilder builder, Action<int, int> add)
    {
        (int begin, int end) = builder.Queries;
        for (int query = begin; query < end; query++)
            add(query, builder.PositionOf(query));
    }

    private static void AddWindow(BlockMaskBuilder builder, int query, int position, int window) =>
        builder.AddKeys(query, (int)Math.Max((long)position - window + 1, 0), (int)Math.Min((long)position + window, int.MaxValue));

    // The blocks of the row's positions and localBlocks - 1 on each side of them.
    private static void AddBand(BlockMaskBuilder builder, in BlockMaskShape shape, int localBlocks)
    {
        (int begin, int end) = builder.Queries;
        int first = FloorDivide(builder.PositionOf(begin), shape.BlockColumns), last = FloorDivide(builder.PositionOf(end - 1), shape.BlockColumns);
        long columnEnd = Math.Min(shape.ColumnBlockCount, (long)last + localBlocks);
        for (long column = Math.Max(0, (long)first - localBlocks + 1); column < columnEnd; column++)
            builder.AddBlock((int)column);
    }

    private static int FloorDivide(int position, int length) => position >= 0 ? position / length : -1;

    private static int[] Tokens(ReadOnlySpan<int> tokens, int count, string name)
    {
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)count)
                throw new ArgumentOutOfRangeException(name, token, $"there are {count} keys");
        }
        int[] sorted = tokens.ToArray();
        Array.Sort(sorted);
        return sorted;
    }
}
