using System.Numerics;

namespace Kernels.Cpu;

/// <summary>Looks a candidate's n-grams up, order after order, and counts the clipped matches.</summary>
/// <param name="rows">The candidates.</param>
/// <param name="candidate">Which candidate.</param>
/// <param name="ids">One for each token: the n-gram's number, or -1 where the references do not have it.</param>
internal readonly unsafe struct CandidateNgrams<T>(in BleuRows<T> rows, int candidate, int* ids) where T : unmanaged, IBinaryInteger<T>
{
    private readonly BleuRows<T> _rows = rows;
    private readonly int _candidate = candidate;
    private readonly int* _ids = ids;

    /// <summary>The number of matches of one order, which must be 1, or the order after the last call's.</summary>
    /// <param name="order">n.</param>
    /// <param name="table">The references' n-grams of that order.</param>
    /// <param name="remaining">How often each may still match; counted down.</param>
    public long Match(int order, NgramTable table, int* remaining)
    {
        ReadOnlySpan<T> tokens = _rows.Candidates[_candidate];
        if (order > 1)
            return MatchNgrams(tokens.Length - order + 1, _ids, table, remaining);
        bool isBroken = _rows.IsBroken(_rows.Candidates, tokens);
        return isBroken
            ? MatchTokens<BrokenByPadding>(tokens, _rows.Candidates.PadToken, _ids, table, remaining)
            : MatchTokens<Unbroken>(tokens, default, _ids, table, remaining);
    }

    // An n-gram can match only where both its (n - 1)-grams do: the others are never looked up.
    private static long MatchNgrams(int count, int* ids, NgramTable table, int* remaining)
    {
        long matches = 0;
        for (int i = 0; i < count; i++)
        {
            int prefix = ids[i], suffix = ids[i + 1];
            if ((prefix | suffix) < 0)
            {
                ids[i] = -1;
                continue;
            }
            int id = ids[i] = table.Find(NgramTable.Key(prefix, suffix));
            if (id >= 0 && remaining[id]-- > 0)
                matches++;
        }
        return matches;
    }

    private static long MatchTokens<TPadding>(ReadOnlySpan<T> tokens, T padToken, int* ids, NgramTable table, int* remaining) where TPadding : struct, IPadding
    {
        long matches = 0;
        for (int i = 0; i < tokens.Length; i++)
        {
            int id = TPadding.Breaks && tokens[i] == padToken ? -1 : table.Find(ulong.CreateTruncating(tokens[i]));
            ids[i] = id;
            if (id >= 0 && remaining[id]-- > 0)
                matches++;
        }
        return matches;
    }

    private interface IPadding
    {
        static abstract bool Breaks { get; }
    }

    private readonly struct BrokenByPadding : IPadding
    {
        public static bool Breaks => true;
    }

    private readonly struct Unbroken : IPadding
    {
        public static bool Breaks => false;
    }
}
