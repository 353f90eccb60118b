using System.Globalization;
using System.Text;

namespace TinyLlama;

/// <summary>
/// Texts as strings with one byte in each char (Latin-1), so that any bytes, even such as are no UTF-8, can be cut, joined, searched and looked up as strings
/// are.
/// </summary>
internal static class ByteText
{
    // For each of Unicode's categories a character of 16 bits, the highest: it stands for those beyond 16 bits.
    private static readonly char[] s_likeness = MakeLikeness();

    public static string Of(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    public static byte[] Bytes(ReadOnlySpan<char> byteText)
    {
        var bytes = new byte[byteText.Length];
        Encoding.Latin1.GetBytes(byteText, bytes);
        return bytes;
    }

    /// <summary>Cuts a text into code points; bytes that are no UTF-8 are cut as Unicode's replacement of them would be.</summary>
    /// <param name="byteText">The text.</param>
    /// <param name="starts">Where each code point begins, and the end of the text.</param>
    /// <returns>The text with one char for each code point, of the same category, for patterns that speak of categories.</returns>
    public static string CodePoints(string byteText, out int[] starts)
    {
        ReadOnlySpan<byte> bytes = Bytes(byteText);
        var likeness = new StringBuilder(bytes.Length);
        var begins = new List<int>(bytes.Length + 1) { 0 };
        for (int at = 0; at < bytes.Length;)
        {
            Rune.DecodeFromUtf8(bytes[at..], out Rune rune, out int length);
            likeness.Append(rune.IsBmp ? (char)rune.Value : s_likeness[(int)Rune.GetUnicodeCategory(rune)]);
            begins.Add(at += length);
        }
        starts = [.. begins];
        return likeness.ToString();
    }

    /// <summary>Whether a range of characters holds one that stands for characters beyond 16 bits.</summary>
    public static bool HasLikeness(char from, char to) => Array.Exists(LikenessInUse.All, likeness => likeness >= from && likeness <= to);

    private static char[] MakeLikeness()
    {
        var likeness = new char[Enum.GetValues<UnicodeCategory>().Length];
        for (int value = 0; value <= char.MaxValue; value++)
            likeness[(int)char.GetUnicodeCategory((char)value)] = (char)value;
        return likeness;
    }

    // Of the categories that have characters beyond 16 bits; looked for when a pattern is read.
    private static class LikenessInUse
    {
        private const int LastRune = 0x10FFFF;

        public static char[] All { get; } =
            [.. Enumerable.Range(char.MaxValue + 1, LastRune - char.MaxValue).Select(value => Rune.GetUnicodeCategory(new Rune(value))).Distinct()
            .Select(category => s_likeness[(int)category])];
    }
}
