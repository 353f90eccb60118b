using System.Numerics;

namespace Kernels.Cpu;

/// <summary>
/// The numbers of a sequence's n-grams in a table, order after order: ids[i] is that of the n-gram that begins at token i, or -1. Each order's numbers
/// replace those of the order before, of which they are made.
/// </summary>
internal static unsafe class NgramIds
{
    /// <summary>Numbers every n-gram, new ones included.</summary>
    public static void Number<T>(int order, in BleuRows<T> rows, in TokenRows<T> side, ReadOnlySpan<T> tokens, int* ids, ref NgramTable table) where T : unmanaged, IBinaryInteger<T>
    {
        NgramTable local = table;
        if (order == 1)
        {
            for (int i = 0; i < tokens.Length; i++)
                ids[i] = local.FindOrAdd(ulong.CreateTruncating(tokens[i]));
            BreakAtPadding(rows, side, tokens, ids);
        }
        else
        {
            for (int i = 0; i <= tokens.Length - order; i++)
            {
                int prefix = ids[i], suffix = ids[i + 1];
                ids[i] = (prefix | suffix) < 0 ? -1 : local.FindOrAdd(NgramTable.Key(prefix, suffix));
            }
        }
        table = local;
    }

    /// <summary>Numbers the n-grams that the table has. One can be there only if both its (n - 1)-grams were: the others are never looked up.</summary>
    public static void Find<T>(int order, in BleuRows<T> rows, in TokenRows<T> side, ReadOnlySpan<T> tokens, int* ids, NgramTable table) where T : unmanaged, IBinaryInteger<T>
    {
        if (order == 1)
        {
            for (int i = 0; i < tokens.Length; i++)
                ids[i] = table.Find(ulong.CreateTruncating(tokens[i]));
            BreakAtPadding(rows, side, tokens, ids);
            return;
        }
        for (int i = 0; i <= tokens.Length - order; i++)
        {
            int prefix = ids[i], suffix = ids[i + 1];
            ids[i] = (prefix | suffix) < 0 ? -1 : table.Find(NgramTable.Key(prefix, suffix));
        }
    }

    /// <summary>Counts how often each n-gram stands there.</summary>
    public static void Count(int* ids, int count, int* counts)
    {
        for (int i = 0; i < count; i++)
        {
            if (ids[i] >= 0)
                counts[ids[i]]++;
        }
    }

    /// <summary>The number of n-grams that still remain to match, each of which is counted down. Element -1 is 0 or less.</summary>
    public static long Match(int* ids, int count, int* remaining)
    {
        long matches = 0;
        for (int i = 0; i < count; i++)
        {
            matches += remaining[ids[i]]-- > 0 ? 1 : 0;
        }
        return matches;
    }

    private static void BreakAtPadding<T>(in BleuRows<T> rows, in TokenRows<T> side, ReadOnlySpan<T> tokens, int* ids) where T : unmanaged, IBinaryInteger<T>
    {
        if (!rows.IsBroken(side, tokens))
            return;
        for (int i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] == side.PadToken)
                ids[i] = -1;
        }
    }
}
