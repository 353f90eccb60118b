namespace TinyLlama;

/// <summary>The token that begins every text, and those after which generation ends.</summary>
internal sealed record SpecialTokens(int Begin, int[] Ends);
