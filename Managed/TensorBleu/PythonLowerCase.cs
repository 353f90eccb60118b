using System.Globalization;
using System.Text;

namespace Kernels.Managed;

/// <summary>
/// Lower case as Python's <c>lower()</c> has it, which takes Unicode's full mappings (SpecialCasing.txt): a sigma that ends a word is \u03C2, and \u0130
/// becomes i and a dot above. The invariant culture of .NET maps each character by itself.
/// </summary>
internal static class PythonLowerCase
{
    private const char CapitalSigma = '\u03A3', FinalSigma = '\u03C2', CapitalDottedI = '\u0130';
    private const string DottedI = "i\u0307";

    // Word_Break of MidLetter, MidNumLet and Single_Quote.
    private const string WithinWords = "'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    // Letters that have a case by Other_Lowercase or Other_Uppercase.
    private static readonly (int First, int Last)[] s_otherCased =
    [
        (0xAA, 0xAA), (0xBA, 0xBA), (0x2B0, 0x2B8), (0x2C0, 0x2C1), (0x2E0, 0x2E4), (0x345, 0x345), (0x37A, 0x37A), (0x10FC, 0x10FC), (0x1D2C, 0x1D6A),
            (0x1D78, 0x1D78), (0x1D9B, 0x1DBF),
        (0x2071, 0x2071), (0x207F, 0x207F), (0x2090, 0x209C), (0x2160, 0x217F), (0x24B6, 0x24E9), (0x2C7C, 0x2C7D), (0xA69C, 0xA69D), (0xA770, 0xA770),
            (0xA7F8, 0xA7F9), (0xAB5C, 0xAB5F),
        (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189),
    ];

    public static string Of(string text)
    {
        string lower = text.ToLowerInvariant();
        if (text.AsSpan().IndexOfAny(CapitalSigma, CapitalDottedI) < 0)
            return lower;
        // The invariant mapping changes no length, so that places are the same in both.
        var result = new StringBuilder(text.Length + DottedI.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == CapitalDottedI)
                result.Append(DottedI);
            else
                result.Append(text[i] == CapitalSigma && EndsWord(text, i) ? FinalSigma : lower[i]);
        }
        return result.ToString();
    }

    // A cased letter before it and none behind, passing over what case ignores (The Unicode Standard, table 3-17, Final_Sigma).
    private static bool EndsWord(string text, int sigma)
    {
        ReadOnlySpan<char> before = text.AsSpan(0, sigma), behind = text.AsSpan(sigma + 1);
        Rune rune;
        do
        {
            if (before.IsEmpty)
                return false;
            Rune.DecodeLastFromUtf16(before, out rune, out int length);
            before = before[..^length];
        }
        while (IsIgnored(rune));
        if (!IsCased(rune))
            return false;
        do
        {
            if (behind.IsEmpty)
                return true;
            Rune.DecodeFromUtf16(behind, out rune, out int length);
            behind = behind[length..];
        }
        while (IsIgnored(rune));
        return !IsCased(rune);
    }

    private static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        || Array.Exists(s_otherCased, range => rune.Value >= range.First && rune.Value <= range.Last);

    private static bool IsIgnored(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
        or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
        || (rune.IsBmp && WithinWords.Contains((char)rune.Value, StringComparison.Ordinal));
}
