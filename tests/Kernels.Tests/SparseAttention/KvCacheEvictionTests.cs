namespace Kernels.Tests;

/// <summary>Taking tokens away: what needs pages and what does not, forks, roll back, and sizes that are refused.</summary>
public sealed class KvCacheEvictionTests
{
    private static readonly int[] s_numbers = [.. Enumerable.Range(0, 12)];

    [Fact]
    public void AnEvictionWithoutRoomChangesNothing()
    {
        // A full cache of four pages of four tokens, 0 to 11 and four of another sequence; a fork shares three of them.
        using KvCache cache = Numbered(4, pageCount: 4, out int source);
        int fork = cache.Fork(source), other = cache.CreateSequence();
        Append(cache, other, [100, 101, 102, 103]);
        InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => cache.Keep(fork, [1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Contains("3 more of", refused.Message, StringComparison.Ordinal);
        Assert.Equal(s_numbers, Read(cache, fork));
        Assert.Equal(s_numbers, Read(cache, source));
        Assert.Equal(0, cache.FreePageCount);
        // Nor does one that has some of the room, and meets its lack later.
        cache.Release(other);
        Assert.Throws<InvalidOperationException>(() => cache.Keep(fork, [0, 1, 2, 3, 5, 6, 7, 8, 9]));
        Assert.Equal(s_numbers, Read(cache, fork));
        Assert.Equal(1, cache.FreePageCount);
        // Heavy hitters neither.
        var hitters = new HeavyHitters(7, 2);
        SparseAttention.Decode([1f], cache, fork, new float[1], hitters);
        float[] scores = hitters.Scores.ToArray();
        Append(cache, cache.CreateSequence(), [7]);
        Assert.Throws<InvalidOperationException>(() => hitters.Evict(cache, fork));
        Assert.Equal(scores, hitters.Scores.ToArray());
        Assert.Equal(s_numbers, Read(cache, fork));
    }

    [Fact]
    public void EvictingFromAFullCacheNeedsNoPage()
    {
        using KvCache cache = Numbered(4, pageCount: 3, out int sequence);
        Assert.Equal(0, cache.FreePageCount);
        cache.Keep(sequence, [1, 2, 4, 7, 8, 9, 11]);
        Assert.Equal([1, 2, 4, 7, 8, 9, 11], Read(cache, sequence));
        Assert.Equal(1, cache.FreePageCount);
        var hitters = new HeavyHitters(2, 1);
        SparseAttention.Decode([1f], cache, sequence, new float[1], hitters);
        Assert.Equal(4, hitters.Evict(cache, sequence));
        Assert.Equal(2, cache.FreePageCount);
    }

    [Fact]
    public void WholePagesAreEvictedFromForksWithoutACopy()
    {
        using KvCache cache = Numbered(4, pageCount: 3, out int source);
        int fork = cache.Fork(source);
        int[] pages = cache.PageTable(source).ToArray();
        cache.Keep(fork, [0, 1, 2, 3, 8, 9, 10]);
        Assert.Equal([0, 1, 2, 3, 8, 9, 10], Read(cache, fork));
        Assert.Equal([pages[0], pages[2]], cache.PageTable(fork).ToArray());
        Assert.Equal(s_numbers, Read(cache, source));
        // The last page is shared still: the next token must not land on the source's token 11.
        Assert.Throws<InvalidOperationException>(() => Append(cache, fork, [50]));
        cache.Release(source);
        Append(cache, fork, [50]);
        Assert.Equal([0, 1, 2, 3, 8, 9, 10, 50], Read(cache, fork));
        Assert.Equal(1, cache.FreePageCount);
    }

    [Fact]
    public void PagesThatEmptyServeAsCopies()
    {
        // The fork shares two pages and has two of its own; behind the last token that stays, or before the shared page that is written, one is empty.
        using KvCache cache = Make(4, pageCount: 4);
        int source = cache.CreateSequence();
        Append(cache, source, [0, 1, 2, 3, 4, 5, 6, 7]);
        int fork = cache.Fork(source);
        Append(cache, fork, [8, 9, 10, 11, 12, 13, 14, 15]);
        Assert.Equal(0, cache.FreePageCount);
        cache.Keep(fork, [0, 1, 2, 3, 5, 6, 7, 8]);
        Assert.Equal([0, 1, 2, 3, 5, 6, 7, 8], Read(cache, fork));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], Read(cache, source));
        Assert.Equal(1, cache.FreePageCount);
        // The first page becomes the fork's own where the source lets it go.
        cache.Truncate(fork, 0);
        cache.Release(fork);
        fork = cache.Fork(source);
        cache.Keep(source, [4, 5, 6, 7]);
        Append(cache, source, [20, 21, 22, 23, 24, 25, 26, 27]);
        Assert.Equal(0, cache.FreePageCount);
        cache.Keep(fork, [5, 6, 7]);
        Assert.Equal([5, 6, 7], Read(cache, fork));
        Assert.Equal([4, 5, 6, 7, 20, 21, 22, 23, 24, 25, 26, 27], Read(cache, source));
        Assert.Equal(0, cache.FreePageCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BothBranchesOfAForkAppend(bool sourceFirst)
    {
        using KvCache cache = Make(4, pageCount: 8);
        int source = cache.CreateSequence();
        Append(cache, source, [0, 1, 2, 3, 4, 5]);
        int fork = cache.Fork(source), third = cache.Fork(fork);
        Append(cache, sourceFirst ? source : fork, [10]);
        Append(cache, sourceFirst ? fork : source, [20]);
        Append(cache, third, [30]);
        Append(cache, sourceFirst ? source : fork, [11, 12]);
        Assert.Equal([0, 1, 2, 3, 4, 5, 10, 11, 12], Read(cache, sourceFirst ? source : fork));
        Assert.Equal([0, 1, 2, 3, 4, 5, 20], Read(cache, sourceFirst ? fork : source));
        Assert.Equal([0, 1, 2, 3, 4, 5, 30], Read(cache, third));
        // One full page for all three, a copy of the half one each, and one more.
        Assert.Equal(8 - 5, cache.FreePageCount);
    }

    [Fact]
    public void TruncationTakesBackTheLastTokens()
    {
        using KvCache cache = Numbered(4, pageCount: 6, out int source);
        int fork = cache.Fork(source);
        Append(cache, fork, [12, 13, 14, 15, 16]);
        cache.Truncate(fork, 13);
        Assert.Equal([.. s_numbers, 12], Read(cache, fork));
        Assert.Equal(2, cache.FreePageCount);
        // Within shared pages nothing is copied, and nothing is the source's loss; what is then appended is.
        cache.Truncate(fork, 6);
        Assert.Equal(3, cache.FreePageCount);
        Append(cache, fork, [60, 61, 62]);
        Assert.Equal([0, 1, 2, 3, 4, 5, 60, 61, 62], Read(cache, fork));
        Assert.Equal(s_numbers, Read(cache, source));
        cache.Truncate(fork, 9);
        cache.Truncate(fork, 0);
        Assert.Equal(0, cache.TokenCount(fork));
        Assert.Equal(3, cache.FreePageCount);
        Assert.Equal("count", Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(source, 13)).ParamName);
        Assert.Equal("count", Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(source, -1)).ParamName);
        Assert.Equal("sequence", Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(7, 0)).ParamName);
        Assert.Equal(s_numbers, Read(cache, source));
    }

    public static TheoryData<string, int, int, int, int?, KeyValueType> BadSizes => new()
    {
        // Heads, d, pages, tokens on a page; all zeros are default(KvCacheOptions).
        { "KeyValueHeads", 0, 0, 0, null, default }, { "KeyValueHeads", -1, 8, 4, null, default }, { "HeadDimension", 1, 0, 4, null, default },
            { "HeadDimension", 1, -8, 4, null, default },
        { "PageCount", 1, 8, 0, null, default }, { "PageCount", 1, 8, -4, null, default }, { "PageSize", 1, 8, 4, 0, default },
            { "PageSize", 1, 8, 4, -16, default }, { "PageSize", 1, 8, 4, 12, default },
        { "Type", 1, 8, 4, 4, (KeyValueType)9 },
        // A token longer than any array, more pages than an array counts, tokens beyond 31 bits, bytes beyond 63.
        { "KeyValueHeads", int.MaxValue, 8, 4, null, default }, { "KeyValueHeads", 1 << 23, 256, 1, 1, default },
            { "PageCount", 1, 8, int.MaxValue, 1, default }, { "PageCount", 1, 8, 1 << 27, null, default },
        { "PageCount", 1, 8, 2, 1 << 30, default }, { "PageCount", (1 << 22) - 1, 512, 1 << 26, null, default },
    };

    [Theory]
    [MemberData(nameof(BadSizes))]
    public void SizesOutOfRangeAreRefusedByName(string name, int heads, int dimension, int pages, int? pageSize, KeyValueType type)
    {
        var options = new KvCacheOptions { KeyValueHeads = heads, HeadDimension = dimension, PageCount = pages, PageSize = pageSize, Type = type };
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => new KvCache(options));
        Assert.Equal(name, refused.ParamName);
    }

    [Fact]
    public void BytesThatNoLongCountsAreNotWrappedAround() =>
        Assert.Throws<OverflowException>(() => new KvCacheOptions { KeyValueHeads = (1 << 22) - 1, HeadDimension = 512, PageCount = 1 << 26 }.ByteCount);

    [Fact]
    public void TokensOfManySequencesAreCountedBeyond31Bits()
    {
        using var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = 1, PageSize = 1 << 20, PageCount = 1, Type = KeyValueType.Int8 });
        int sequence = cache.CreateSequence();
        cache.Append(sequence, new float[1 << 20], new float[1 << 20]);
        int[] sequences = [.. Enumerable.Repeat(sequence, 1 << 11)];
        Assert.Equal("sequences", Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.Attend(new float[1 << 11], cache, sequences, new float[1 << 11], 1)).ParamName);
    }

    private static KvCache Make(int pageSize, int pageCount) => new(new() { KeyValueHeads = 1, HeadDimension = 1, PageSize = pageSize, PageCount = pageCount });

    // A sequence of tokens 0 to 11.
    private static KvCache Numbered(int pageSize, int pageCount, out int sequence)
    {
        KvCache cache = Make(pageSize, pageCount);
        sequence = cache.CreateSequence();
        Append(cache, sequence, s_numbers);
        return cache;
    }

    private static void Append(KvCache cache, int sequence, int[] tokens) =>
        cache.Append(sequence, [.. tokens.Select(token => (float)token)], [.. tokens.Select(token => -(float)token)]);

    private static int[] Read(KvCache cache, int sequence)
    {
        var tokens = new int[cache.TokenCount(sequence)];
        float[] key = new float[1], value = new float[1];
        for (int i = 0; i < tokens.Length; i++)
        {
            cache.Read(sequence, i, key, value);
            Assert.Equal(-key[0], value[0]);
            tokens[i] = (int)key[0];
        }
        return tokens;
    }
}
