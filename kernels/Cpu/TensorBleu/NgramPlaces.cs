using System.Numerics;
using System.Runtime.CompilerServices;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// The places of some sequences at which n-grams begin that are still to be looked at, order after order. The sequences lie one behind the other, one place
/// for each token and one gap behind each sequence.
/// </summary>
/// <param name="tokens">By place: the number of the token that stands there, or a gap. What is not in the index is a gap.</param>
/// <param name="list">[places]: the places, rising, each with the number of the n-gram that begins there: see <see cref="Entry"/>.</param>
internal unsafe struct NgramPlaces(int* tokens, ulong* list)
{
    /// <summary>Gaps of what is indexed and of what is sought: not equal, so that no n-gram spans one.</summary>
    public const int IndexedGap = -1, SoughtGap = 0;

    private const int NumberShift = 32;

    public readonly int* Tokens = tokens;

    public readonly ulong* List = list;

    public int Count { get; set; }

    /// <summary>An element of the list.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Entry(int place, int number) => (ulong)(uint)number << NumberShift | (uint)place;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(ulong entry) => (int)entry;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Number(ulong entry) => (int)(entry >> NumberShift);

    /// <summary>The key of an n-gram: the number of its first n - 1 tokens among the n-grams of the order before, and that of its last token.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(int prefix, int token) => (ulong)(uint)prefix << NumberShift | (uint)token;

    /// <summary>All places, with the tokens as keys: order 1.</summary>
    /// <param name="rows">The problem.</param>
    /// <param name="sequences">Its candidates or its references.</param>
    /// <param name="begin">The first sequence.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="gap">What stands between sequences.</param>
    /// <param name="keys">Receives a key for each place listed.</param>
    public void Begin<T>(in BleuRows<T> rows, in TokenRows<T> sequences, int begin, int end, int gap, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        int place = 0;
        Count = 0;
        for (int sequence = begin; sequence < end; sequence++)
        {
            ReadOnlySpan<T> tokens = sequences[sequence];
            if (rows.IsBroken(sequences, tokens))
                AddUnpadded(tokens, sequences.PadToken, gap, place, keys);
            else
                AddAll(tokens, place, keys);
            place += tokens.Length;
            Tokens[place++] = gap;
        }
    }

    /// <summary>The next order: a key is the number of the n-gram found before and the token behind it. Places without one are left out.</summary>
    /// <param name="order">The next order.</param>
    /// <param name="keys">Receives a key for each place that is left.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Extend(int order, ulong* keys)
    {
        int* tokens = Tokens + order - 1;
        ulong* list = List;
        int kept = 0, count = Count;
        for (int i = 0; i < count; i++)
        {
            ulong entry = list[i];
            int token = tokens[Place(entry)];
            keys[kept] = Key(Number(entry), token);
            list[kept] = entry;
            kept += token > 0 ? 1 : 0;
        }
        Count = kept;
    }

    /// <summary>The numbers of order 1 are those of the tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public readonly void NumberTokens()
    {
        int* tokens = Tokens;
        ulong* list = List;
        int count = Count;
        for (int i = 0; i < count; i++)
            tokens[Place(list[i])] = Number(list[i]);
    }

    /// <summary>Keeps the places whose n-grams the index has more than once, and puts those aside that it has once.</summary>
    /// <param name="singles">The index's.</param>
    /// <param name="once">Receives what is put aside.</param>
    /// <returns>How many that are.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public int Split(int* singles, ulong* once)
    {
        ulong* list = List;
        int kept = 0, aside = 0, count = Count;
        for (int i = 0; i < count; i++)
        {
            ulong entry = list[i];
            int number = Number(entry), isOnce = singles[number] >= 0 ? 1 : 0;
            once[aside] = entry;
            aside += isOnce;
            list[kept] = entry;
            kept += (number != 0 ? 1 : 0) - isOnce;
        }
        Count = kept;
        return aside;
    }

    /// <summary>The element of the list behind the last one of a sequence, of all that are listed one after another.</summary>
    /// <param name="rows">Where the sequences are.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="end">Behind the last sequence.</param>
    /// <param name="first">The sequence's first element.</param>
    /// <param name="place">Where it begins; moves on to where the next one does.</param>
    public readonly int EndOf<T>(in TokenRows<T> rows, int sequence, int end, int first, ref int place) where T : unmanaged, IBinaryInteger<T>
    {
        if (sequence + 1 == end)
            return Count;
        place += rows[sequence].Length + 1;
        return FirstAtOrBehind(place, first);
    }

    private readonly int FirstAtOrBehind(int place, int from)
    {
        int to = Count;
        while (from < to)
        {
            int middle = from + (to - from) / 2;
            if (Place(List[middle]) < place)
                from = middle + 1;
            else
                to = middle;
        }
        return from;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void AddAll<T>(ReadOnlySpan<T> tokens, int place, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        ulong* list = List + Count;
        keys += Count;
        for (int i = 0; i < tokens.Length; i++)
        {
            keys[i] = ulong.CreateTruncating(tokens[i]);
            list[i] = Entry(place + i, 0);
        }
        Count += tokens.Length;
    }

    private void AddUnpadded<T>(ReadOnlySpan<T> tokens, T padToken, int gap, int place, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            Tokens[place + i] = gap;
            if (tokens[i] == padToken)
                continue;
            keys[Count] = ulong.CreateTruncating(tokens[i]);
            List[Count++] = Entry(place + i, 0);
        }
    }
}
