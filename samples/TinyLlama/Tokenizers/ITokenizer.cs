namespace TinyLlama;

/// <summary>Text to tokens and back.</summary>
internal interface ITokenizer
{
    /// <summary>The tokens that stand before every text; often one, sometimes none.</summary>
    ReadOnlySpan<int> Before { get; }

    /// <summary>Whether a text is over at this token.</summary>
    bool Ends(int token);

    int[] Encode(string text);

    /// <summary>The bytes that a token adds to a text; the one before it, if there is one, decides about a leading space.</summary>
    ReadOnlySpan<byte> Decode(int? previous, int token);
}
