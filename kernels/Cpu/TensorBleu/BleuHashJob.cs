using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>
/// Whole candidates. Order after order, the candidate's n-grams are indexed and those of its references looked up; prepared references are indexed already,
/// and the candidate is looked up in them. Either way only n-grams of which both (n - 1)-grams matched are looked at.
/// </summary>
internal readonly unsafe struct BleuHashJob<T>(in BleuRows<T> rows, GCHandle prepared, BleuResults results, BleuLanes lanes, int largestGroup, int longestCandidate) : IRangeJob
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly BleuRows<T> _rows = rows;
    private readonly GCHandle _prepared = prepared;
    private readonly BleuResults _results = results;
    private readonly BleuLanes _lanes = lanes;
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
        indexed.Begin(_rows, _rows.Candidates, candidate, candidate + 1, scratch.IndexKeys + 1);
        sought.Begin(_rows, _rows.References, begin, end, scratch.Keys);
        for (int order = 1; order <= _rows.OrderCount; order++)
        {
            if (order > 1)
            {
                indexed.DropUnmatched(scratch.Tallies);
                indexed.Extend(scratch.IndexKeys + 1);
                sought.Extend(scratch.Keys);
            }
            NgramIndex index = scratch.Index(indexed.Count);
            index.Build(indexed, scratch.Pending);
            index.Find(sought, scratch.Keys, scratch.Pending);
            matches[order - 1] = NgramTally.CountAll(_rows.References, begin, end, sought, index, scratch.Tallies);
            if (matches[order - 1] == 0)
                break;
        }
        return matches;
    }

    private OrderCounts Count(int candidate, in BleuHashScratch scratch, PreparedNgrams<T> prepared)
    {
        OrderCounts matches = default;
        NgramPlaces sought = scratch.Sought;
        sought.Begin(_rows, _rows.Candidates, candidate, candidate + 1, scratch.Keys);
        for (int order = 1; order <= _rows.OrderCount; order++)
        {
            if (order > 1)
                sought.Extend(scratch.Keys);
            NgramIndex index = prepared.Index(candidate / _rows.CandidatesPerGroup, order);
            index.Find(sought, scratch.Keys, scratch.Pending);
            matches[order - 1] = NgramTally.CountAll(_rows.Candidates, candidate, candidate + 1, sought, index, scratch.Tallies);
            if (matches[order - 1] == 0)
                break;
        }
        return matches;
    }
}
