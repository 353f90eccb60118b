using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// The places of some sequences at which n-grams begin that may still match, order after order. The sequences lie one behind the other, one place for each
/// token and one behind each sequence, at which nothing ever begins.
/// </summary>
/// <param name="ids">One for each place: the number of the n-gram that begins there, or 0.</param>
/// <param name="list">Receives the places, rising; as many as ids.</param>
internal unsafe struct NgramPlaces(int* ids, int* list)
{
    public readonly int* Ids = ids;

    public readonly int* List = list;

    public int Count { get; private set; }

    /// <summary>All places, with the tokens as keys: order 1.</summary>
    /// <param name="rows">The problem.</param>
    /// <param name="sequences">Its candidates or its references.</param>
    /// <param name="begin">The first sequence.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="keys">Receives a key for each place listed.</param>
    public void Begin<T>(in BleuRows<T> rows, in TokenRows<T> sequences, int begin, int end, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        int place = 0;
        Count = 0;
        for (int sequence = begin; sequence < end; sequence++)
        {
            ReadOnlySpan<T> tokens = sequences[sequence];
            if (rows.IsBroken(sequences, tokens))
                AddUnpadded(tokens, sequences.PadToken, place, keys);
            else
                Add(tokens, place, keys);
            place += tokens.Length;
            Ids[place++] = 0;
        }
    }

    /// <summary>The next order: the places at which an n-gram was found and at the place behind as well, for only there the longer one can be. Its key is the numbers of both.</summary>
    /// <param name="keys">Receives a key for each place that is left.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Extend(ulong* keys)
    {
        int* ids = Ids, list = List;
        int kept = 0, count = Count;
        for (int i = 0; i < count; i++)
        {
            int place = list[i], prefix = ids[place], suffix = ids[place + 1];
            ids[place] = 0;
            keys[kept] = NgramIndex.Key(prefix, suffix);
            list[kept] = place;
            // Adds 1 unless a number is 0, and so its predecessor negative.
            kept += 1 + ((prefix - 1 | suffix - 1) >> 31);
        }
        Count = kept;
    }

    /// <summary>Forgets the n-grams that nobody else has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void DropUnmatched(NgramTally* tallies)
    {
        int* ids = Ids, list = List;
        for (int i = 0; i < Count; i++)
            ids[list[i]] &= -(tallies[ids[list[i]]].Most != 0 ? 1 : 0);
    }

    /// <summary>Where in the list, from some element on, a place stands, or would stand.</summary>
    public readonly int FirstAtOrBehind(int place, int from)
    {
        int found = new ReadOnlySpan<int>(List + from, Count - from).BinarySearch(place);
        return from + (found < 0 ? ~found : found);
    }

    private void Add<T>(ReadOnlySpan<T> tokens, int place, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        int* list = List + Count;
        keys += Count;
        for (int i = 0; i < tokens.Length; i++)
        {
            keys[i] = ulong.CreateTruncating(tokens[i]);
            list[i] = place + i;
        }
        Count += tokens.Length;
    }

    private void AddUnpadded<T>(ReadOnlySpan<T> tokens, T padToken, int place, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            Ids[place + i] = 0;
            if (tokens[i] == padToken)
                continue;
            keys[Count] = ulong.CreateTruncating(tokens[i]);
            List[Count++] = place + i;
        }
    }
}
