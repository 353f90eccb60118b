using System.Numerics;
using System.Runtime.CompilerServices;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// Order 1 of a candidate whose ids lie in one aligned block of 256, as those of bytes, of characters and of any small vocabulary do: counted in tables by
/// id, without an index. There every token repeats and all would go on to order 2 anyway. A token's number is its id's last byte and 1.
/// </summary>
/// <param name="tables">[<see cref="Length"/>]: by number, the counts of the candidate, of the reference at hand and the largest of any reference.</param>
internal readonly unsafe struct TokenCounts(int* tables)
{
    private const int BlockSize = 1 << 8;

    // Numbers 0 to 256, filled up to whole vectors of any width.
    private const int Numbers = BlockSize + 16;

    private readonly int* _candidate = tables, _reference = tables + Numbers, _most = tables + 2 * Numbers;

    /// <summary>The elements of all tables.</summary>
    public const int Length = 3 * Numbers;

    /// <summary>Whether all ids lie in one block.</summary>
    /// <param name="ids">[count], of any type, as 64 bits.</param>
    /// <param name="count">How many.</param>
    public static bool Fit(ulong* ids, int count)
    {
        for (int i = 1; i < count; i++)
        {
            if ((ids[i] ^ ids[0]) >= BlockSize)
                return false;
        }
        return true;
    }

    /// <summary>Counts the clipped matches of order 1, and numbers the tokens of both sides as an index of order 1 would.</summary>
    /// <param name="rows">Where the references are.</param>
    /// <param name="begin">The first reference.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="indexed">The candidate's places.</param>
    /// <param name="ids">Their ids, which lie in one block.</param>
    /// <param name="sought">The references' places; those with ids that the candidate has are kept.</param>
    /// <param name="soughtIds">Their ids.</param>
    public long Match<T>(in TokenRows<T> rows, int begin, int end, in NgramPlaces indexed, ulong* ids, ref NgramPlaces sought, ulong* soughtIds)
        where T : unmanaged, IBinaryInteger<T>
    {
        new Span<int>(_candidate, Length).Clear();
        Enter(indexed, ids);
        int first = 0, kept = 0, place = 0;
        for (int sequence = begin; sequence < end; sequence++)
        {
            int last = sought.EndOf(rows, sequence, end, first, ref place);
            kept = Find(sought, first, last, soughtIds, *ids, kept);
            first = last;
            Raise();
        }
        sought.Count = kept;
        return Clipped();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void Enter(in NgramPlaces places, ulong* ids)
    {
        int* tokens = places.Tokens, counts = _candidate;
        ulong* list = places.List;
        int count = places.Count;
        for (int i = 0; i < count; i++)
        {
            int place = NgramPlaces.Place(list[i]), number = (byte)ids[i] + 1;
            tokens[place] = number;
            list[i] = NgramPlaces.Entry(place, number);
            counts[number]++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int Find(in NgramPlaces places, int begin, int end, ulong* ids, ulong block, int kept)
    {
        int* tokens = places.Tokens, candidate = _candidate, counts = _reference;
        ulong* list = places.List;
        for (int i = begin; i < end; i++)
        {
            int place = NgramPlaces.Place(list[i]), number = (byte)ids[i] + 1;
            int isThere = ((ids[i] ^ block) < BlockSize ? 1 : 0) & (candidate[number] != 0 ? 1 : 0);
            number &= -isThere;
            tokens[place] = number;
            list[kept] = NgramPlaces.Entry(place, number);
            kept += isThere;
            counts[number]++;
        }
        return kept;
    }

    // The reference at hand raises the largest counts, and the next one begins from zeros.
    private void Raise()
    {
        for (int i = 0; i < Numbers; i += Vector<int>.Count)
        {
            Vector.Max(Vector.Load(_most + i), Vector.Load(_reference + i)).Store(_most + i);
            Vector<int>.Zero.Store(_reference + i);
        }
    }

    // Number 0 is no token of the candidate, and so has the count 0 there.
    private long Clipped()
    {
        Vector<int> sum = default;
        for (int i = 0; i < Numbers; i += Vector<int>.Count)
            sum += Vector.Min(Vector.Load(_candidate + i), Vector.Load(_most + i));
        return Vector.Sum(sum);
    }
}
