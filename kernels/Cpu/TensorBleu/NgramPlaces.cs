using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>
/// The places of some sequences at which n-grams begin that are still to be looked at, order after order. The sequences lie one behind the other, one place
/// for each token and one gap behind each sequence.
/// </summary>
/// <param name="tokens">By place: the number of the token that stands there, or a gap. What is not in the index is a gap.</param>
/// <param name="list">[places]: the places, rising.</param>
/// <param name="numbers">[places]: the number of the n-gram that begins at each place of the list.</param>
internal unsafe struct NgramPlaces(int* tokens, int* list, int* numbers)
{
    /// <summary>Gaps of what is indexed and of what is sought: not equal, so that no n-gram spans one.</summary>
    public const int IndexedGap = -1, SoughtGap = 0;

    public readonly int* Tokens = tokens, List = list, Numbers = numbers;

    public int Count { get; private set; }

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

    /// <summary>The numbers of order 1 are those of the tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public readonly void NumberTokens()
    {
        int* tokens = Tokens, list = List, numbers = Numbers;
        int count = Count;
        for (int i = 0; i < count; i++)
            tokens[list[i]] = numbers[i];
    }

    /// <summary>The next order: a key is the number of the n-gram found before and the token behind it. Places without one are left out.</summary>
    /// <param name="order">The next order.</param>
    /// <param name="keys">Receives a key for each place that is left.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Extend(int order, ulong* keys)
    {
        int* tokens = Tokens + order - 1, list = List, numbers = Numbers;
        int kept = 0, count = Count;
        for (int i = 0; i < count; i++)
        {
            int place = list[i], token = tokens[place];
            keys[kept] = NgramIndex.Key(numbers[i], token);
            list[kept] = place;
            kept += token > 0 ? 1 : 0;
        }
        Count = kept;
    }

    /// <summary>Keeps the places whose n-grams occur more than once in the index, and puts those that occur once there aside.</summary>
    /// <param name="singles">The index's.</param>
    /// <param name="once">Receives the places put aside.</param>
    /// <param name="onceNumbers">Receives their numbers.</param>
    /// <returns>How many were put aside.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public int Split(int* singles, int* once, int* onceNumbers)
    {
        int* list = List, numbers = Numbers;
        int kept = 0, aside = 0, count = Count;
        for (int i = 0; i < count; i++)
        {
            int place = list[i], number = numbers[i], isOnce = singles[number] >= 0 ? 1 : 0;
            once[aside] = place;
            onceNumbers[aside] = number;
            aside += isOnce;
            list[kept] = place;
            numbers[kept] = number;
            kept += (number != 0 ? 1 : 0) - isOnce;
        }
        Count = kept;
        return aside;
    }

    /// <summary>Where in the list, from some element on, a place stands, or would stand.</summary>
    public readonly int FirstAtOrBehind(int place, int from)
    {
        int found = new ReadOnlySpan<int>(List + from, Count - from).BinarySearch(place);
        return from + (found < 0 ? ~found : found);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void AddAll<T>(ReadOnlySpan<T> tokens, int place, ulong* keys) where T : unmanaged, IBinaryInteger<T>
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

    private void AddUnpadded<T>(ReadOnlySpan<T> tokens, T padToken, int gap, int place, ulong* keys) where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            Tokens[place + i] = gap;
            if (tokens[i] == padToken)
                continue;
            keys[Count] = ulong.CreateTruncating(tokens[i]);
            List[Count++] = place + i;
        }
    }
}
