using System.Numerics;

namespace Kernels.Cpu;

/// <summary>
/// Numbers the n-grams of a group of references, order after order, and finds how often each stands in the reference that has most of it.
/// An n-gram's key is made of the numbers of its two (n - 1)-grams, which <paramref name="ids"/> holds from the order before.
/// </summary>
/// <param name="rows">The references.</param>
/// <param name="group">Which group.</param>
/// <param name="ids">One for each token of the group.</param>
/// <param name="current">One for each n-gram: its count in the reference at hand.</param>
/// <param name="lastReference">One for each n-gram: the last reference that had it.</param>
internal readonly unsafe struct ReferenceNgrams<T>(in BleuRows<T> rows, int group, int* ids, int* current, int* lastReference)
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly BleuRows<T> _rows = rows;
    private readonly int _group = group;
    private readonly int* _ids = ids;
    private readonly int* _current = current;
    private readonly int* _lastReference = lastReference;

    /// <summary>Tokens of all references of the group.</summary>
    public int TokenCount
    {
        get
        {
            int tokens = 0;
            (int begin, int end) = _rows.Group(_group);
            for (int reference = begin; reference < end; reference++)
                tokens += _rows.References[reference].Length;
            return tokens;
        }
    }

    /// <summary>Fills an empty table with the n-grams of one order, which must be 1, or the order after the last call's.</summary>
    /// <param name="order">n.</param>
    /// <param name="table">The table.</param>
    /// <param name="counts">Receives the largest count of each n-gram.</param>
    public void Add(int order, ref NgramTable table, int* counts)
    {
        (int begin, int end) = _rows.Group(_group);
        bool isSingle = end - begin == 1;
        int* ids = _ids;
        for (int reference = begin; reference < end; reference++)
        {
            ReadOnlySpan<T> tokens = _rows.References[reference];
            int known = table.Count, count = Math.Max(0, tokens.Length - order + 1);
            if (order == 1)
                NumberTokens(tokens, ids, ref table);
            else
                NumberNgrams(count, ids, ref table);
            new Span<int>(counts + known, table.Count - known).Clear();
            if (isSingle)
                CountSingle(ids, count, counts);
            else
                CountOne(ids, count, reference, counts, known, table.Count);
            ids += tokens.Length;
        }
    }

    private void NumberTokens(ReadOnlySpan<T> tokens, int* ids, ref NgramTable table)
    {
        NgramTable local = table;
        for (int i = 0; i < tokens.Length; i++)
            ids[i] = local.FindOrAdd(ulong.CreateTruncating(tokens[i]));
        table = local;
        if (!_rows.IsBroken(_rows.References, tokens))
            return;
        for (int i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] == _rows.References.PadToken)
                ids[i] = -1;
        }
    }

    private static void NumberNgrams(int count, int* ids, ref NgramTable table)
    {
        NgramTable local = table;
        for (int i = 0; i < count; i++)
        {
            int prefix = ids[i], suffix = ids[i + 1];
            ids[i] = (prefix | suffix) < 0 ? -1 : local.FindOrAdd(NgramTable.Key(prefix, suffix));
        }
        table = local;
    }

    private static void CountSingle(int* ids, int count, int* counts)
    {
        for (int i = 0; i < count; i++)
        {
            if (ids[i] >= 0)
                counts[ids[i]]++;
        }
    }

    // Numbers from known to distinct are new.
    private void CountOne(int* ids, int count, int reference, int* counts, int known, int distinct)
    {
        new Span<int>(_lastReference + known, distinct - known).Fill(-1);
        for (int i = 0; i < count; i++)
        {
            int id = ids[i];
            if (id < 0)
                continue;
            _current[id] = _lastReference[id] == reference ? _current[id] + 1 : 1;
            _lastReference[id] = reference;
            counts[id] = Math.Max(counts[id], _current[id]);
        }
    }
}
