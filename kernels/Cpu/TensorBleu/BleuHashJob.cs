using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>Whole candidates: each order's table is filled from the references, or taken ready made, and the candidate looked up in it.</summary>
internal readonly unsafe struct BleuHashJob<T>(in BleuRows<T> rows, GCHandle prepared, BleuStatistics* results, BleuLanes lanes, int largestGroup) : IRangeJob
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly BleuRows<T> _rows = rows;
    private readonly GCHandle _prepared = prepared;
    private readonly BleuStatistics* _results = results;
    private readonly BleuLanes _lanes = lanes;
    private readonly int _largestGroup = largestGroup;

    public void Run(long begin, long end)
    {
        var scratch = new BleuHashScratch(_lanes.Take(out int lane), _largestGroup);
        var prepared = _prepared.IsAllocated ? (PreparedNgrams<T>?)_prepared.Target : null;
        for (int candidate = (int)begin; candidate < (int)end; candidate++)
        {
            OrderCounts matches = prepared is null ? Count(candidate, scratch) : Count(candidate, scratch, prepared);
            _results[candidate] = BleuLengths.Statistics(_rows, candidate, matches);
        }
        _lanes.Return(lane);
    }

    private OrderCounts Count(int candidate, in BleuHashScratch scratch)
    {
        OrderCounts matches = default;
        var references = new ReferenceNgrams<T>(_rows, candidate / _rows.CandidatesPerGroup, scratch.ReferenceIds, scratch.CurrentCounts, scratch.LastReferences);
        var ngrams = new CandidateNgrams<T>(_rows, candidate, scratch.CandidateIds);
        int size = references.TokenCount;
        for (int order = 1; order <= _rows.OrderCount; order++)
        {
            NgramTable table = scratch.EmptyTable(size);
            references.Add(order, ref table, scratch.Counts);
            matches[order - 1] = ngrams.Match(order, table, scratch.Counts);
            if (matches[order - 1] == 0)
                break;
        }
        return matches;
    }

    private OrderCounts Count(int candidate, in BleuHashScratch scratch, PreparedNgrams<T> prepared)
    {
        OrderCounts matches = default;
        var ngrams = new CandidateNgrams<T>(_rows, candidate, scratch.CandidateIds);
        for (int order = 1; order <= _rows.OrderCount; order++)
        {
            NgramTable table = prepared.Table(candidate / _rows.CandidatesPerGroup, order, out ReadOnlySpan<int> counts);
            counts.CopyTo(new Span<int>(scratch.Counts, counts.Length));
            matches[order - 1] = ngrams.Match(order, table, scratch.Counts);
            if (matches[order - 1] == 0)
                break;
        }
        return matches;
    }
}
