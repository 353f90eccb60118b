using System.Text;

namespace TinyLlama;

/// <summary>
/// The spelling of bytes in byte-level vocabularies: printable characters of Latin-1 stand for themselves, the other bytes, in their order, for the characters
/// from U+0100 on (GPT-2's bytes_to_unicode).
/// </summary>
internal static class ByteAlphabet
{
    private const char FirstSubstitute = '\u0100';

    private static readonly Dictionary<char, char> s_byteOf = Make();

    /// <summary>The bytes that a token spells; null if it has a character that spells none.</summary>
    public static string? TryRead(string spelled)
    {
        var bytes = new StringBuilder(spelled.Length);
        foreach (char letter in spelled)
        {
            if (!s_byteOf.TryGetValue(letter, out char value))
                return null;
            bytes.Append(value);
        }
        return bytes.ToString();
    }

    private static Dictionary<char, char> Make()
    {
        var byteOf = new Dictionary<char, char>();
        char substitute = FirstSubstitute;
        for (char value = '\0'; value <= byte.MaxValue; value++)
            byteOf.Add(value is (>= '!' and <= '~') or (>= '¡' and <= '¬') or (>= '®' and <= 'ÿ') ? value : substitute++, value);
        return byteOf;
    }
}
