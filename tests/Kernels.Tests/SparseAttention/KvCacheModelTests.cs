namespace Kernels.Tests;

/// <summary>Random operations on a cache and on plain lists of tokens; whatever is refused must change nothing.</summary>
public sealed class KvCacheModelTests
{
    private const int Heads = 2, QueryHeads = 4, Dimension = 12, RowLength = Heads * Dimension, PageCount = 24, Steps = 3000, MostSequences = 6;

    public static TheoryData<KeyValueType, int> Layouts
    {
        get
        {
            var data = new TheoryData<KeyValueType, int>();
            foreach (KeyValueType type in Enum.GetValues<KeyValueType>())
            {
                foreach (int page in new[] { 1, 4, 16 })
                    data.Add(type, page);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void RandomOperationsAreThoseOnLists(KeyValueType type, int pageSize)
    {
        var random = new Random(100 * (int)type + pageSize);
        using var cache = new KvCache(new()
        {
            KeyValueHeads = Heads,
            HeadDimension = Dimension,
            PageSize = pageSize,
            PageCount = PageCount,
            Type = type,
            SplitNibbleKeys = pageSize >= 16
        });
        var model = new SortedDictionary<int, List<Token>>();
        int refusedAppends = 0, refusedEvictions = 0, forks = 0;
        for (int step = 0; step < Steps; step++)
        {
            int operation = random.Next(10), sequence = model.Count == 0 ? -1 : model.Keys.ElementAt(random.Next(model.Count));
            if (sequence < 0 || (operation == 0 && model.Count < MostSequences))
                model.Add(cache.CreateSequence(), []);
            else if (operation == 1 && model.Count < MostSequences)
            {
                model.Add(cache.Fork(sequence), [.. model[sequence]]);
                forks++;
            }
            else if (operation == 2 && random.Next(2) == 0)
            {
                cache.Release(sequence);
                model.Remove(sequence);
            }
            else if (operation is 3 or 4)
                refusedEvictions += Keep(cache, model, sequence, random) ? 0 : 1;
            else if (operation == 5)
            {
                int count = random.Next(3) == 0 ? random.Next(model[sequence].Count + 1) : Math.Max(0, model[sequence].Count - random.Next(2 * pageSize));
                cache.Truncate(sequence, count);
                model[sequence].RemoveRange(count, model[sequence].Count - count);
            }
            else
                refusedAppends += Append(cache, model, sequence, operation == 6 ? cache.FreePageCount * pageSize + pageSize + 1 : random.Next(3 * pageSize + 1),
                    random) ? 0 : 1;
            AssertSame(model, cache);
            if (step % 500 == 499 && pageSize >= 16)
                AssertSameScores(model, cache, type);
        }
        // The walk met what it is for.
        Assert.True(refusedAppends > 50 && forks > 50, $"{refusedAppends} appends were refused, {forks} forks made");
        // A page of one token is passed on, and never written anew.
        Assert.True(pageSize == 1 ? refusedEvictions == 0 : refusedEvictions > 10, $"{refusedEvictions} evictions were refused");
    }

    // Whole numbers up to 127, one of them 127, times a power of two: every type stores them without loss, bytes with that power as their scale.
    private static Token NewToken(Random random)
    {
        return new Token(Rows(random), Rows(random));

        static float[] Rows(Random random)
        {
            var rows = new float[RowLength];
            for (int head = 0; head < Heads; head++)
            {
                float unit = MathF.ScaleB(1, random.Next(-8, 0));
                for (int i = 0; i < Dimension; i++)
                    rows[head * Dimension + i] = unit * (i == 3 ? 127 : random.Next(-127, 128));
            }
            return rows;
        }
    }

    private static bool Append(KvCache cache, SortedDictionary<int, List<Token>> model, int sequence, int count, Random random)
    {
        Token[] tokens = [.. Enumerable.Range(0, count).Select(_ => NewToken(random))];
        int before = model[sequence].Count, size = cache.Options.PageSize!.Value, needed = (before + count + size - 1) / size - (before + size - 1) / size;
        if (count > 0 && before % size != 0 && IsShared(cache, model, sequence, cache.PageTable(sequence)[^1]))
            needed++;
        float[] keys = [.. tokens.SelectMany(token => token.Keys)], values = [.. tokens.SelectMany(token => token.Values)];
        if (needed > cache.FreePageCount)
        {
            Assert.Throws<InvalidOperationException>(() => cache.Append(sequence, keys, values));
            return false;
        }
        cache.Append(sequence, keys, values);
        model[sequence].AddRange(tokens);
        return true;
    }

    private static bool Keep(KvCache cache, SortedDictionary<int, List<Token>> model, int sequence, Random random)
    {
        List<Token> tokens = model[sequence];
        int size = cache.Options.PageSize!.Value, first = random.Next(size), pages = random.Next(3);
        double share = random.NextDouble();
        // Scattered tokens, a window of the last ones behind the first page, or all but some whole pages.
        int[] positions = [.. random.Next(3) switch
        {
            0 => Enumerable.Range(0, tokens.Count).Where(_ => random.NextDouble() < share),
            1 => Enumerable.Range(0, tokens.Count).Where(token => token < size || token >= first + pages * size),
            _ => Enumerable.Range(0, tokens.Count).Where(token => token < size || token >= (1 + pages) * size),
        }];
        bool sharesNone = true;
        foreach (int page in cache.PageTable(sequence))
            sharesNone &= !IsShared(cache, model, sequence, page);
        try
        {
            cache.Keep(sequence, positions);
        }
        catch (InvalidOperationException)
        {
            Assert.False(sharesNone, "a sequence that shares no page always has room");
            return false;
        }
        model[sequence] = [.. positions.Select(position => tokens[position])];
        return true;
    }

    private static bool IsShared(KvCache cache, SortedDictionary<int, List<Token>> model, int sequence, int page) =>
        model.Keys.Any(other => other != sequence && cache.PageTable(other).Contains(page));

    private static void AssertSame(SortedDictionary<int, List<Token>> model, KvCache cache)
    {
        float[] keys = new float[RowLength], values = new float[RowLength];
        var pages = new HashSet<int>();
        int size = cache.Options.PageSize!.Value;
        foreach ((int sequence, List<Token> tokens) in model)
        {
            Assert.Equal(tokens.Count, cache.TokenCount(sequence));
            Assert.Equal((tokens.Count + size - 1) / size, cache.PageTable(sequence).Length);
            pages.UnionWith(cache.PageTable(sequence).ToArray());
            for (int i = 0; i < tokens.Count; i++)
            {
                cache.Read(sequence, i, keys, values);
                Assert.True(keys.AsSpan().SequenceEqual(tokens[i].Keys) && values.AsSpan().SequenceEqual(tokens[i].Values),
                    $"token {i} of sequence {sequence}");
            }
        }
        Assert.Equal(PageCount - pages.Count, cache.FreePageCount);
    }

    // Planes cannot be read back: what is scored from all eight bits, and from the high ones, is as in a cache that only ever held these tokens.
    private static void AssertSameScores(SortedDictionary<int, List<Token>> model, KvCache cache, KeyValueType type)
    {
        float[] query = SparseAttentionCases.Normal(QueryHeads * Dimension, 5, 0.1);
        foreach ((int sequence, List<Token> tokens) in model)
        {
            if (tokens.Count == 0)
                continue;
            using var fresh = new KvCache(cache.Options with { PageCount = PageCount });
            int same = fresh.CreateSequence();
            fresh.Append(same, [.. tokens.SelectMany(token => token.Keys)], [.. tokens.SelectMany(token => token.Values)]);
            foreach (float threshold in new[] { 1e-30f, 2f })
            {
                float[] expected = new float[query.Length], actual = new float[query.Length];
                SpAttenState one = new(QueryHeads, new() { RequantizationThreshold = threshold }),
                    other = new(QueryHeads, new() { RequantizationThreshold = threshold });
                one.AddTokens(0, tokens.Count);
                other.AddTokens(0, tokens.Count);
                one.Decode(query, fresh, same, expected);
                other.Decode(query, cache, sequence, actual);
                SparseAttentionCases.AssertSameBits(expected, actual, $"{type}, threshold {threshold}, sequence {sequence}");
                SparseAttentionCases.AssertSameBits(one.TokenImportance, other.TokenImportance,
                    $"{type}, threshold {threshold}, sequence {sequence}, importance");
            }
        }
    }

    private sealed record Token(float[] Keys, float[] Values);
}
