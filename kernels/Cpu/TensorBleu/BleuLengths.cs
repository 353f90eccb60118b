using System.Numerics;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>The part of a candidate's statistics that does not depend on which tokens match.</summary>
internal static class BleuLengths
{
    /// <summary>The length of the reference closest in length; ties go to the shorter, in compatible mode to the first. 0 without references.</summary>
    public static long Closest<T>(in BleuRows<T> rows, int group, long candidateLength) where T : unmanaged, IBinaryInteger<T>
    {
        (int begin, int end) = rows.Group(group);
        long closest = 0, distance = long.MaxValue;
        for (int reference = begin; reference < end; reference++)
        {
            long length = rows.LengthOf(rows.References, rows.References[reference]), apart = Math.Abs(length - candidateLength);
            if (length == 0 && rows.References.IsPadded && !rows.KeepEmptyRows)
                continue;
            if (apart < distance || (apart == distance && length < closest && !rows.Compatible))
                (closest, distance) = (length, apart);
        }
        return closest;
    }

    /// <summary>The number of n-grams of each order.</summary>
    public static OrderCounts Totals<T>(in BleuRows<T> rows, ReadOnlySpan<T> candidate) where T : unmanaged, IBinaryInteger<T>
    {
        OrderCounts totals = default;
        if (!rows.IsBroken(rows.Candidates, candidate))
        {
            AddRun(ref totals, candidate.Length, rows.OrderCount);
            return totals;
        }
        foreach (Range run in candidate.Split(rows.Candidates.PadToken))
            AddRun(ref totals, candidate[run].Length, rows.OrderCount);
        return totals;
    }

    /// <summary>All of the statistics together.</summary>
    public static BleuStatistics Statistics<T>(in BleuRows<T> rows, int candidate, in OrderCounts matches) where T : unmanaged, IBinaryInteger<T>
    {
        ReadOnlySpan<T> tokens = rows.Candidates[candidate];
        OrderCounts totals = Totals(rows, tokens), without = default;
        for (int i = 0; i < rows.OrderCount; i++)
            without[i] = totals[i] == 0 ? 1 : 0;
        long length = rows.LengthOf(rows.Candidates, tokens);
        return new BleuStatistics(rows.OrderCount, 1, length, Closest(rows, candidate / rows.CandidatesPerGroup, length), matches, totals, without);
    }

    private static void AddRun(ref OrderCounts totals, int length, int orderCount)
    {
        for (int i = 0; i < orderCount; i++)
            totals[i] += Math.Max(0, length - i);
    }
}
