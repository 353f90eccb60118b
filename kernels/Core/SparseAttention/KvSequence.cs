namespace Kernels.Core.SparseAttention;

/// <summary>The pages of one sequence.</summary>
/// <param name="revision">Of a copy, that of the sequence it is a copy of.</param>
internal sealed class KvSequence(long revision)
{
    private const int FirstCapacity = 16;

    // Of all sequences of all caches, so that two are alike only where one is a fork of the other.
    private static long s_revisions;

    /// <summary>A new, empty one.</summary>
    public KvSequence()
        : this(NextRevision())
    {
    }

    /// <summary>As long as it is the same, every token that was ever there still is, under its number.</summary>
    public long Revision { get; private set; } = revision;

    /// <summary>Pinned, for kernels read it.</summary>
    public int[] Table { get; private set; } = GC.AllocateUninitializedArray<int>(FirstCapacity, pinned: true);

    public int PageCount { get; private set; }

    public int TokenCount { get; set; }

    public void AddPage(int page)
    {
        if (PageCount == Table.Length)
        {
            int[] larger = GC.AllocateUninitializedArray<int>(2 * PageCount, pinned: true);
            Table.CopyTo(larger, 0);
            Table = larger;
        }
        Table[PageCount++] = page;
    }

    /// <summary>Tokens were taken away, and others may have moved.</summary>
    public void Shrink(int tokenCount, int pageCount)
    {
        TokenCount = tokenCount;
        PageCount = pageCount;
        Revision = NextRevision();
    }

    private static long NextRevision() => Interlocked.Increment(ref s_revisions);
}

/// <summary>The check of lists of tokens.</summary>
internal static class TokenPositions
{
    public static void Check(ReadOnlySpan<int> positions, int tokenCount, string name)
    {
        for (int i = 0; i < positions.Length; i++)
        {
            if ((uint)positions[i] >= (uint)tokenCount)
                throw new ArgumentOutOfRangeException(name, positions[i], $"there are {tokenCount} tokens");
            if (i > 0 && positions[i] <= positions[i - 1])
                throw new ArgumentException($"position {positions[i]} follows {positions[i - 1]}: positions must ascend", name);
        }
    }
}
