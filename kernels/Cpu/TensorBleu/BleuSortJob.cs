using System.Numerics;
using Kernels.Core.TensorBleu;
using Kernels.Core.Threading;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// Whole candidates by sorting: the keys of all n-grams of a group, the candidate's and every reference's, are sorted, and equal ones, which then stand
/// together, get one number. The numbers of order n are the keys' halves of order n + 1: the compact dictionary of the TensorBLEU paper
/// (arXiv 2510.05485), per sentence. O(n log n).
/// </summary>
internal readonly unsafe struct BleuSortJob<T>(in BleuRows<T> rows, BleuResults results, ScratchLanes lanes, long laneTokens) : IRangeJob
    where T : unmanaged, IBinaryInteger<T>
{
    /// <summary>Position of tokens of which no n-gram begins there.</summary>
    private const int None = -1;

    private readonly BleuRows<T> _rows = rows;
    private readonly BleuResults _results = results;
    private readonly ScratchLanes _lanes = lanes;
    private readonly long _laneTokens = laneTokens;

    /// <summary>The bytes of a lane: for each token a key, an id, a position and the sequence it stands in.</summary>
    public static long Bytes(int largestGroup, int longestCandidate) => (sizeof(ulong) + 3L * sizeof(int)) * ((long)largestGroup + longestCandidate);

    public void Run(long begin, long end)
    {
        ulong* keys = (ulong*)_lanes.Take(out int lane);
        int* ids = (int*)(keys + _laneTokens), positions = ids + _laneTokens, sequences = positions + _laneTokens;
        for (int candidate = (int)begin; candidate < (int)end; candidate++)
            _results.Put(candidate, BleuLengths.Statistics(_rows, candidate, Count(candidate, keys, ids, positions, sequences)));
        _lanes.Return(lane);
    }

    private OrderCounts Count(int candidate, ulong* keys, int* ids, int* positions, int* sequences)
    {
        OrderCounts matches = default;
        BleuRows<T> all = _rows;
        int tokens = 0, count = 0;
        Append(_rows.Candidates, candidate, 0);
        (int begin, int end) = _rows.Group(candidate / _rows.CandidatesPerGroup);
        for (int reference = begin; reference < end; reference++)
            Append(_rows.References, reference, reference - begin + 1);
        for (int order = 1; order <= _rows.OrderCount; order++)
        {
            if (order > 1)
                count = Join(tokens, keys, ids, positions, sequences);
            new Span<ulong>(keys, count).Sort(new Span<int>(positions, count));
            matches[order - 1] = Number(count, keys, ids, positions, sequences);
        }
        return matches;

        // Order 1: the keys are the tokens.
        void Append(in TokenRows<T> rows, int index, int sequence)
        {
            ReadOnlySpan<T> row = rows[index];
            bool isBroken = all.IsBroken(rows, row);
            foreach (T token in row)
            {
                ids[tokens] = None;
                sequences[tokens] = sequence;
                if (!isBroken || token != rows.PadToken)
                {
                    keys[count] = ulong.CreateTruncating(token);
                    positions[count++] = tokens;
                }
                tokens++;
            }
        }
    }

    // The keys of the next order, for the positions whose two shorter n-grams exist and stand in one sequence.
    private static int Join(int tokens, ulong* keys, int* ids, int* positions, int* sequences)
    {
        int count = 0;
        for (int position = 0; position < tokens; position++)
        {
            bool exists = ids[position] != None && position + 1 < tokens && ids[position + 1] != None && sequences[position] == sequences[position + 1];
            if (exists)
            {
                keys[count] = NgramPlaces.Key(ids[position], ids[position + 1]);
                positions[count++] = position;
            }
            else
            {
                ids[position] = None;
            }
        }
        return count;
    }

    // Gives each run of equal keys a number, and returns the clipped matches of all.
    private static long Number(int count, ulong* keys, int* ids, int* positions, int* sequences)
    {
        long matches = 0;
        int id = 0;
        for (int begin = 0, end; begin < count; begin = end)
        {
            for (end = begin + 1; end < count && keys[end] == keys[begin];)
                end++;
            var run = new Span<int>(positions + begin, end - begin);
            run.Sort();
            foreach (int position in run)
                ids[position] = id;
            matches += Clipped(run, sequences);
            id++;
        }
        return matches;
    }

    // The smaller of the candidate's count (sequence 0, which stands first) and the largest count of a reference.
    private static int Clipped(ReadOnlySpan<int> run, int* sequences)
    {
        int candidate = 0, largest = 0;
        for (int begin = 0, end; begin < run.Length; begin = end)
        {
            int sequence = sequences[run[begin]];
            for (end = begin + 1; end < run.Length && sequences[run[end]] == sequence;)
                end++;
            if (sequence == 0)
                candidate = end - begin;
            else
                largest = Math.Max(largest, end - begin);
        }
        return Math.Min(candidate, largest);
    }
}
