namespace Kernels.Core.SparseAttention;

/// <summary>Sets of small numbers, a bit for each in words of 64, lowest first; read and written at any bit.</summary>
internal static class BitSets
{
    private const int WordBits = 64, WordShift = 6;

    public static int WordCount(int bitCount) => (int)(((long)bitCount + WordBits - 1) >> WordShift);

    /// <summary>The lowest bits, all of them from 64 on.</summary>
    public static ulong Lowest(int count) => count >= WordBits ? ulong.MaxValue : (1UL << count) - 1;

    public static void Add(Span<ulong> words, int number) => words[number >> WordShift] |= 1UL << number;

    /// <summary>64 numbers from a first one on, which is not negative; those beyond the words are not in the set.</summary>
    public static ulong Read(ReadOnlySpan<ulong> words, long first)
    {
        long word = first >> WordShift;
        int shift = (int)first & (WordBits - 1);
        ulong low = word < words.Length ? words[(int)word] >> shift : 0;
        return shift != 0 && word + 1 < words.Length ? low | words[(int)word + 1] << (WordBits - shift) : low;
    }

    /// <summary>Adds the numbers first + i for the bits i of a word.</summary>
    public static void Add(Span<ulong> words, int first, ulong some)
    {
        int word = first >> WordShift, shift = first & (WordBits - 1);
        words[word] |= some << shift;
        if (shift != 0 && some >> (WordBits - shift) is var rest and not 0)
            words[word + 1] |= rest;
    }
}
