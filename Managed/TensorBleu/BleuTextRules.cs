using System.Globalization;
using System.Text;

namespace Kernels.Managed;

/// <summary>
/// Tokenization as text to text: tokens are set apart by spaces. Each rule is one pass from left to right over pairs of Unicode scalar values that do not
/// overlap, as a regular expression's substitution goes.
/// </summary>
internal static class BleuTextRules
{
    public static string Apply(string text, BleuTokenizer tokenizer) => tokenizer switch
    {
        BleuTokenizer.None => text,
        BleuTokenizer.Mteval13a => Mteval13a(text),
        BleuTokenizer.Character => string.Concat(text.EnumerateRunes().Select(rune => $"{rune} ")),
        BleuTokenizer.International => International(text),
        _ => throw new ArgumentOutOfRangeException(nameof(tokenizer), tokenizer, "there is no such tokenizer"),
    };

    // mteval-v13a: entities back to characters; ASCII symbols alone; periods, commas and dashes by their neighbours.
    private static string Mteval13a(string text)
    {
        text = text.Replace("<skipped>", "", StringComparison.Ordinal).Replace("-\n", "", StringComparison.Ordinal).Replace('\n', ' ');
        text = text.Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
        List<Rune> runes = Alone([.. $" {text} ".EnumerateRunes()], IsAsciiSymbol);
        runes = Pairs(runes, rune => !IsAsciiDigit(rune), IsPeriodOrComma, "{0} {1} ");
        runes = Pairs(runes, IsPeriodOrComma, rune => !IsAsciiDigit(rune), " {0} {1}");
        runes = Pairs(runes, IsAsciiDigit, rune => rune.Value == '-', "{0} {1} ");
        return string.Concat(runes.Select(rune => rune.ToString()));
    }

    // mteval-v14's international rules.
    private static string International(string text)
    {
        List<Rune> runes = Pairs([.. text.EnumerateRunes()], rune => !Rune.IsNumber(rune), Rune.IsPunctuation, "{0} {1} ");
        runes = Pairs(runes, Rune.IsPunctuation, rune => !Rune.IsNumber(rune), " {0} {1}");
        return string.Concat(Alone(runes, Rune.IsSymbol).Select(rune => rune.ToString()));
    }

    // A space on each side of every match.
    private static List<Rune> Alone(List<Rune> runes, Predicate<Rune> match)
    {
        var result = new List<Rune>(2 * runes.Count);
        foreach (Rune rune in runes)
        {
            if (match(rune))
                result.AddRange([new Rune(' '), rune, new Rune(' ')]);
            else
                result.Add(rune);
        }
        return result;
    }

    // Rewrites each pair of neighbours that match; a value that was part of a pair is not looked at again.
    private static List<Rune> Pairs(List<Rune> runes, Predicate<Rune> first, Predicate<Rune> second, string form)
    {
        var result = new List<Rune>(2 * runes.Count);
        for (int i = 0; i < runes.Count; i++)
        {
            bool isPair = i + 1 < runes.Count && first(runes[i]) && second(runes[i + 1]);
            if (isPair)
                result.AddRange(string.Format(CultureInfo.InvariantCulture, form, runes[i], runes[++i]).EnumerateRunes());
            else
                result.Add(runes[i]);
        }
        return result;
    }

    private static bool IsAsciiDigit(Rune rune) => rune.Value is >= '0' and <= '9';

    private static bool IsPeriodOrComma(Rune rune) => rune.Value is '.' or ',';

    // Every printing ASCII character but letters, digits, apostrophe, comma, hyphen and period; the space is among the symbols, which changes nothing.
    private static bool IsAsciiSymbol(Rune rune) =>
        rune.Value is (>= '{' and <= '~') or (>= '[' and <= '`') or (>= ' ' and <= '&') or (>= '(' and <= '+') or (>= ':' and <= '@') or '/';
}
