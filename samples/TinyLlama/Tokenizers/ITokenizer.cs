namespace TinyLlama;

/// <summary>Text to tokens and back.</summary>
internal interface ITokenizer
{
    /// <summary>The token that begins every text, and at which generation ends.</summary>
    int BeginToken { get; }

    int[] Encode(string text);

    /// <summary>The bytes that a token adds to a text; the one before it decides about a leading space.</summary>
    ReadOnlySpan<byte> Decode(int previous, int token);
}
