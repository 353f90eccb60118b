using Kernels.Cpu.SparseAttention;

namespace Kernels.Tests;

/// <summary>Pooled votes against the definition: the largest of each neighbourhood, as far as there are neighbours.</summary>
public sealed class VotePoolingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(257)]
    public void EachVoteIsTheLargestOfItsNeighbourhood(int count)
    {
        var random = new Random(count);
        float[] votes = [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        foreach (int reach in new[] { 1, 2, 3, 16, 63, 64, 256, 1000, int.MaxValue / 2 })
        {
            float[] pooled = [.. votes];
            VotePooling.Largest(pooled, reach);
            float[] expected = [.. votes.Select((_, i) => votes[(int)Math.Max(0, i - (long)reach)..(int)Math.Min(count, i + (long)reach + 1)].Max())];
            Assert.Equal(expected, pooled);
        }
    }

    /// <summary>A vote between two tokens with equal neighbours goes to both of them, and the width steers how far it reaches.</summary>
    [Fact]
    public void TheWidthOfASelectionReachesItsTokens()
    {
        const int tokens = 64, dimension = 8;
        using var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = dimension, PageCount = tokens / 16, PageSize = 16 });
        int sequence = cache.CreateSequence();
        float[] keys = new float[tokens * dimension], query = new float[dimension];
        query[0] = 1;
        keys[40 * dimension] = 9;
        cache.Append(sequence, keys, keys);
        var options = new TokenSelectOptions { SinkTokens = 0, RecentTokens = 1, TopK = 5 };
        Assert.Equal([0, 1, 2, 3, 40, 63], new TokenSelect(options).Select(query, cache, sequence, default).ToArray());
        Assert.Equal([38, 39, 40, 41, 42, 63], new TokenSelect(options with { PoolWidth = 5 }).Select(query, cache, sequence, default).ToArray());
    }
}
