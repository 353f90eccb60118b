using System.Buffers.Text;
using System.Text;

namespace Kernels.Core.SpGemm;

/// <summary>
/// Numbers out of text. Short decimals are read exactly by Clinger's fast path (PLDI 1990), others by the runtime's parser, also exactly rounded.
/// </summary>
internal static class MatrixMarketNumber
{
    // 10^19 - 1 fits 64 bits; powers up to 10^22 and integers up to 2^53 are exact in double, so one operation on them is rounded once.
    private const int MostDigits = 19, MostExactPower = 22;
    private const ulong MostExactInteger = 1UL << 53;

    // The bits of a double's significand that a float lacks, and those of its half-way points; below the least normal float they lie elsewhere.
    private const ulong NarrowedMask = (1UL << 29) - 1, NarrowedHalf = 1UL << 28;
    private const double FloatLeastNormal = 1.17549435082228751e-38;

    private static readonly double[] s_powers =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    public static bool TryInteger(ref ReadOnlySpan<byte> text, out long value)
    {
        int i = Sign(text, out bool isNegative), begin = i;
        while (i < text.Length && text[i] == (byte)'0')
            i++;
        int first = i;
        ulong digits = 0;
        for (; i < text.Length && text[i] is >= (byte)'0' and <= (byte)'9'; i++)
        {
            if (i - first >= MostDigits)
            {
                value = 0;
                return false;
            }
            digits = digits * 10 + (uint)(text[i] - '0');
        }
        bool isRead = i > begin && digits <= long.MaxValue + (isNegative ? 1UL : 0);
        value = isNegative ? -(long)digits : (long)digits;
        text = text[i..];
        return isRead;
    }

    public static bool TryReal(ref ReadOnlySpan<byte> text, bool isLenient, out double value)
    {
        int i = Sign(text, out bool isNegative), first = i, scale = 0;
        ulong digits = 0;
        for (; i < text.Length && text[i] is >= (byte)'0' and <= (byte)'9'; i++)
            digits = digits * 10 + (uint)(text[i] - '0');
        int count = i - first;
        if (i < text.Length && text[i] == (byte)'.')
        {
            int point = ++i;
            for (; i < text.Length && text[i] is >= (byte)'0' and <= (byte)'9'; i++)
                digits = digits * 10 + (uint)(text[i] - '0');
            scale = point - i;
            count -= scale;
        }
        bool hasExponent = i < text.Length && (text[i] is (byte)'e' or (byte)'E' || (isLenient && text[i] is (byte)'d' or (byte)'D'));
        if (hasExponent)
        {
            ReadOnlySpan<byte> exponent = text[(i + 1)..];
            if (!TryInteger(ref exponent, out long power) || power is < -2 * MostExactPower or > 2 * MostExactPower)
                return TryRounded(ref text, isLenient, out value);
            scale += (int)power;
            i = text.Length - exponent.Length;
        }
        if (count is 0 or > MostDigits || digits > MostExactInteger || Math.Abs(scale) > MostExactPower)
            return TryRounded(ref text, isLenient, out value);
        value = scale < 0 ? digits / s_powers[-scale] : digits * s_powers[scale];
        value = isNegative ? -value : value;
        text = text[i..];
        return true;
    }

    /// <summary>
    /// The float nearest to a number of which the nearest double is known. Twice rounded is wrong only where the double lies half-way between two floats.
    /// </summary>
    /// <param name="real">The double.</param>
    /// <param name="word">The number.</param>
    /// <param name="isLenient">Whether D marks exponents, too.</param>
    /// <param name="value">The float.</param>
    /// <returns>Whether it is in float's range: a finite number beyond it may not pass for infinity.</returns>
    public static bool TryNarrow(double real, ReadOnlySpan<byte> word, bool isLenient, out float value)
    {
        value = (float)real;
        bool isHalfWay = (BitConverter.DoubleToUInt64Bits(real) & NarrowedMask) == NarrowedHalf || Math.Abs(real) < FloatLeastNormal;
        if (isHalfWay && value != real && !Utf8Parser.TryParse(isLenient ? WithoutD(word) : word, out value, out _))
            return false;
        return float.IsFinite(value) || !double.IsFinite(real);
    }

    // Infinity and NaN may be written as words; a finite number that is too large may not pass for infinity.
    private static bool TryRounded(ref ReadOnlySpan<byte> text, bool isLenient, out double value)
    {
        int end = text.IndexOfAny((byte)' ', (byte)'\t');
        ReadOnlySpan<byte> word = end < 0 ? text : text[..end];
        text = text[word.Length..];
        ReadOnlySpan<byte> unsigned = word[Sign(word, out bool isNegative)..];
        if (Ascii.EqualsIgnoreCase(unsigned, "inf"u8) || Ascii.EqualsIgnoreCase(unsigned, "infinity"u8))
        {
            value = isNegative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }
        if (Ascii.EqualsIgnoreCase(unsigned, "nan"u8))
        {
            value = double.NaN;
            return true;
        }
        return Utf8Parser.TryParse(isLenient ? WithoutD(word) : word, out value, out int consumed) && consumed == word.Length && double.IsFinite(value);
    }

    // Fortran's mark of an exponent as everyone's.
    private static ReadOnlySpan<byte> WithoutD(ReadOnlySpan<byte> word)
    {
        int mark = word.IndexOfAny((byte)'d', (byte)'D');
        if (mark < 0)
            return word;
        byte[] common = word.ToArray();
        common[mark] = (byte)'e';
        return common;
    }

    private static int Sign(ReadOnlySpan<byte> text, out bool isNegative)
    {
        isNegative = !text.IsEmpty && text[0] == (byte)'-';
        return isNegative || (!text.IsEmpty && text[0] == (byte)'+') ? 1 : 0;
    }
}
