using System.Numerics;
using System.Runtime.InteropServices;
using Kernels.Core.TensorBleu;
using Kernels.Core.Threading;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// Whole candidates. The candidate's tokens are indexed and those of its references sought in it; prepared references are indexed already, and the
/// candidate is sought in them. What the index has once is followed as a run of tokens; only what it has several times goes on to the next order.
/// </summary>
internal readonly unsafe struct BleuHashJob<T>(in BleuRows<T> rows, GCHandle prepared, BleuResults results, ScratchLanes lanes, int largestGroup,
    int longestCandidate) : IRangeJob
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly BleuRows<T> _rows = rows;
    private readonly GCHandle _prepared = prepared;
    private readonly BleuResults _results = results;
    private readonly ScratchLanes _lanes = lanes;
    private readonly int _largestGroup = largestGroup, _longestCandidate = longestCandidate;

    public void Run(long begin, long end)
    {
        var scratch = new BleuHashScratch(_lanes.Take(out int lane), _largestGroup, _longestCandidate);
        var prepared = _prepared.IsAllocated ? (PreparedNgrams<T>?)_prepared.Target : null;
        for (int candidate = (int)begin; candidate < (int)end; candidate++)
        {
            OrderCounts matches = prepared is null ? Count(candidate, scratch) : Count(candidate, scratch, prepared);
            _results.Put(candidate, BleuLengths.Statistics(_rows, candidate, matches));
        }
        _lanes.Return(lane);
    }

    private OrderCounts Count(int candidate, in BleuHashScratch scratch)
    {
        OrderCounts matches = default;
        NgramPlaces indexed = scratch.Indexed, sought = scratch.Sought;
        (int begin, int end) = _rows.Group(candidate / _rows.CandidatesPerGroup);
        indexed.Begin(_rows, _rows.Candidates, candidate, candidate + 1, NgramPlaces.IndexedGap, scratch.IndexKeys + 1);
        sought.Begin(_rows, _rows.References, begin, end, NgramPlaces.SoughtGap, scratch.Keys);
        int order = 1;
        if (TokenCounts.Fit(scratch.IndexKeys + 1, indexed.Count))
            matches[order++ - 1] = scratch.TokenCounts.Match(_rows.References, begin, end, indexed, scratch.IndexKeys + 1, ref sought, scratch.Keys);
        for (; order <= _rows.OrderCount && sought.Count != 0; order++)
        {
            if (order > 1)
                indexed.Extend(order, scratch.IndexKeys + 1);
            NgramIndex index = scratch.Index(indexed.Count);
            index.Build(ref indexed, scratch.Pending, order == 1 ? indexed.Tokens : scratch.Pending);
            Match(order, index, indexed.Tokens, ref sought, _rows.References, begin, end, scratch, ref matches);
        }
        return matches;
    }

    private OrderCounts Count(int candidate, in BleuHashScratch scratch, PreparedNgrams<T> prepared)
    {
        OrderCounts matches = default;
        int group = candidate / _rows.CandidatesPerGroup;
        NgramPlaces sought = scratch.Sought;
        sought.Begin(_rows, _rows.Candidates, candidate, candidate + 1, NgramPlaces.SoughtGap, scratch.Keys);
        for (int order = 1; order <= _rows.OrderCount && sought.Count != 0; order++)
            Match(order, prepared.Index(group, order), prepared.Tokens(group), ref sought, _rows.Candidates, candidate, candidate + 1, scratch, ref matches);
        return matches;
    }

    // Counts the n-grams of one order, and those longer ones that begin with one that the index has once. What is left to be sought are the others.
    private void Match(
        int order, in NgramIndex index, int* indexedTokens, ref NgramPlaces sought, in TokenRows<T> sequences, int begin, int end, in BleuHashScratch scratch,
        ref OrderCounts matches)
    {
        if (order > 1)
            sought.Extend(order, scratch.Keys);
        index.Find(sought, scratch.Keys, scratch.Pending);
        if (order == 1)
            sought.NumberTokens();
        int once = sought.Split(index.Singles, scratch.Once);
        new Span<NgramTally>(scratch.Tallies, index.Count + 1).Clear();
        NgramRuns.Count(index, indexedTokens, sought.Tokens, scratch.Once, once, scratch.Tallies, order, ref matches);
        matches[order - 1] += NgramTally.CountAll(sequences, begin, end, sought, index, scratch.Tallies);
    }
}
