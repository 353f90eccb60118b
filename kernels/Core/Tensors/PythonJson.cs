using System.Text;

namespace Kernels.Core.Tensors;

/// <summary>
/// Python's json writes and reads numbers that JSON lacks: NaN, Infinity, -Infinity. They become strings, which no property that is asked for a number takes.
/// </summary>
internal static class PythonJson
{
    private static readonly byte[][] s_words = ["NaN"u8.ToArray(), "-Infinity"u8.ToArray(), "Infinity"u8.ToArray()];

    /// <summary>The same JSON with such numbers in quotes; what is in quotes already stays.</summary>
    public static byte[] Quote(byte[] json)
    {
        if (!s_words.Any(word => json.AsSpan().IndexOf(word) >= 0))
            return json;
        using var quoted = new MemoryStream(json.Length + 2);
        bool isText = false;
        for (int i = 0; i < json.Length;)
        {
            byte[]? word = isText ? null : Array.Find(s_words, candidate => json.AsSpan(i).StartsWith(candidate));
            if (word is not null)
            {
                quoted.Write(Encoding.ASCII.GetBytes($"\"{Encoding.ASCII.GetString(word)}\""));
                i += word.Length;
                continue;
            }
            int taken = isText && json[i] == '\\' && i + 1 < json.Length ? 2 : 1;
            isText ^= json[i] == '"';
            quoted.Write(json, i, taken);
            i += taken;
        }
        return quoted.ToArray();
    }
}
