namespace Kernels.Perf;

/// <summary>
/// Queries, keys and values of a shape: arrays for prefill; for decoding caches, as many as it takes to be beyond the last-level cache, and single queries, as
/// many as it takes for the tokens that they select to be.
/// </summary>
internal sealed class AttentionData : IDisposable
{
    private const ulong QuerySeed = 1, KeySeed = 2, ValueSeed = 3;
    private const float LogitSpread = 3;

    // Four times the last level leave at most a quarter of a cache in it.
    private const int CacheMultiple = 4;

    public AttentionData(AttentionCase attention)
    {
        Case = attention;
        AttentionShape shape = attention.Shape;
        QuerySetCount = attention.IsDecode ? (int)(CacheMultiple * MachineInfo.Current.Level3Bytes / attention.SelectedBytes) + 1 : 1;
        QuerySetLength = attention.QueryCount * shape.QueryHeads * shape.HeadDimension;
        Queries = new NativeBuffer<float>(QuerySetCount * QuerySetLength);
        Output = new NativeBuffer<float>(QuerySetLength);
        LogitGenerator.Fill(Queries.Span, QuerySeed);
        Keys = new NativeBuffer<float>(attention.KeyCount * shape.KeyValueHeads * shape.HeadDimension);
        Values = new NativeBuffer<float>(Keys.Length);
        LogitGenerator.Fill(Keys.Span, KeySeed);
        LogitGenerator.Fill(Values.Span, ValueSeed);
        // Numbers of standard deviation 3 make scores of 9 sqrt(d) before scaling; a third of each gives what models have.
        Shrink(Queries.Span);
        Shrink(Keys.Span);
        Shrink(Values.Span);
        int copies = attention.IsDecode ? (int)Math.Clamp(CacheMultiple * MachineInfo.Current.Level3Bytes / (2L * Keys.Length * 2) + 1, 1, 64) : 0;
        Caches = [.. Enumerable.Range(0, copies).Select(_ => MakeCache())];
    }

    public AttentionCase Case { get; }

    public NativeBuffer<float> Queries { get; }

    public int QuerySetCount { get; }

    private int QuerySetLength { get; }

    public NativeBuffer<float> Keys { get; }

    public NativeBuffer<float> Values { get; }

    public NativeBuffer<float> Output { get; }

    /// <summary>Each with one sequence, number 0.</summary>
    public KvCache[] Caches { get; }

    /// <summary>The queries of one call: the oracle knows the results of number 0.</summary>
    public Span<float> QuerySet(int number) => Queries.Span.Slice(number * QuerySetLength, QuerySetLength);

    /// <summary>Whether another case is about the same numbers.</summary>
    public bool Suits(AttentionCase other) =>
        other.IsDecode == Case.IsDecode && other.QueryCount == Case.QueryCount && other.KeyCount == Case.KeyCount && other.Shape == Case.Shape
        && other.Type == Case.Type;

    public void Dispose()
    {
        foreach (KvCache cache in Caches)
            cache.Dispose();
        Queries.Dispose();
        Keys.Dispose();
        Values.Dispose();
        Output.Dispose();
    }

    private KvCache MakeCache()
    {
        AttentionShape shape = Case.Shape;
        const int pageSize = 64;
        var cache = new KvCache(new KvCacheOptions
        {
            KeyValueHeads = shape.KeyValueHeads,
            HeadDimension = shape.HeadDimension,
            PageSize = pageSize,
            PageCount = (Case.KeyCount + pageSize - 1) / pageSize,
            Type = Case.Type,
            SplitNibbleKeys = true,
        });
        int sequence = cache.CreateSequence();
        cache.Append(sequence, Keys.Span, Values.Span);
        return cache;
    }

    private static void Shrink(Span<float> values)
    {
        foreach (ref float value in values)
            value /= LogitSpread;
    }
}
