using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Cpu;

/// <summary>
/// Whole candidates. Each order's table is filled from the candidate, which is the smaller side, and the references looked up in it; or, if the references were
/// prepared, the candidate is looked up in theirs.
/// </summary>
internal readonly unsafe struct BleuHashJob<T>(in BleuRows<T> rows, GCHandle prepared, BleuStatistics* results, BleuLanes lanes, int largestGroup, int longestCandidate) : IRangeJob
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly BleuRows<T> _rows = rows;
    private readonly GCHandle _prepared = prepared;
    private readonly BleuStatistics* _results = results;
    private readonly BleuLanes _lanes = lanes;
    private readonly int _largestGroup = largestGroup;
    private readonly int _longestCandidate = longestCandidate;

    public void Run(long begin, long end)
    {
        var scratch = new BleuHashScratch(_lanes.Take(out int lane), _largestGroup, _longestCandidate);
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
        ReadOnlySpan<T> tokens = _rows.Candidates[candidate];
        for (int order = 1; order <= Math.Min(_rows.OrderCount, tokens.Length); order++)
        {
            NgramTable table = scratch.EmptyTable(tokens.Length);
            NgramIds.Number(order, _rows, _rows.Candidates, tokens, scratch.CandidateIds, ref table);
            new Span<int>(scratch.Counts - 1, table.Count + 1).Clear();
            NgramIds.Count(scratch.CandidateIds, tokens.Length - order + 1, scratch.Counts);
            matches[order - 1] = MatchReferences(candidate / _rows.CandidatesPerGroup, order, table, scratch);
            if (matches[order - 1] == 0)
                break;
        }
        return matches;
    }

    private long MatchReferences(int group, int order, NgramTable table, in BleuHashScratch scratch)
    {
        (int begin, int end) = _rows.Group(group);
        if (end - begin > 1)
        {
            new Span<int>(scratch.LargestCounts - 1, table.Count + 1).Clear();
            new Span<int>(scratch.LastReferences - 1, table.Count + 1).Fill(-1);
        }
        long matches = 0;
        int* ids = scratch.ReferenceIds;
        for (int reference = begin; reference < end; reference++)
        {
            ReadOnlySpan<T> tokens = _rows.References[reference];
            NgramIds.Find(order, _rows, _rows.References, tokens, ids, table);
            int count = tokens.Length - order + 1;
            matches += end - begin == 1 ? NgramIds.Match(ids, count, scratch.Counts) : MatchOne(ids, count, reference, scratch);
            ids += tokens.Length;
        }
        return matches;
    }

    // A reference's n-gram matches where it has more of it than each reference before, and the candidate has as many.
    private static long MatchOne(int* ids, int count, int reference, in BleuHashScratch scratch)
    {
        int* counts = scratch.Counts, current = scratch.CurrentCounts, largest = scratch.LargestCounts, last = scratch.LastReferences;
        long matches = 0;
        for (int i = 0; i < count; i++)
        {
            int id = ids[i], have = (last[id] == reference ? current[id] : 0) + 1, best = largest[id];
            current[id] = have;
            last[id] = reference;
            int match = (have > best ? 1 : 0) & (best < counts[id] ? 1 : 0);
            largest[id] = best + match;
            matches += match;
        }
        return matches;
    }

    private OrderCounts Count(int candidate, in BleuHashScratch scratch, PreparedNgrams<T> prepared)
    {
        OrderCounts matches = default;
        ReadOnlySpan<T> tokens = _rows.Candidates[candidate];
        for (int order = 1; order <= _rows.OrderCount; order++)
        {
            NgramTable table = prepared.Table(candidate / _rows.CandidatesPerGroup, order, out ReadOnlySpan<int> counts);
            scratch.Counts[-1] = 0;
            counts.CopyTo(new Span<int>(scratch.Counts, counts.Length));
            NgramIds.Find(order, _rows, _rows.Candidates, tokens, scratch.CandidateIds, table);
            matches[order - 1] = NgramIds.Match(scratch.CandidateIds, tokens.Length - order + 1, scratch.Counts);
            if (matches[order - 1] == 0)
                break;
        }
        return matches;
    }
}
