using Kernels;

namespace TinyLlama;

/// <summary>Which tokens a step of decoding attends to.</summary>
internal enum AttentionKind
{
    Dense,
    TokenSelect,
    H2O,
}

/// <summary>The selectors, one for each layer, with budgets as fractions of the context.</summary>
internal static class TokenSelectors
{
    /// <summary>A selector that keeps that share of the context; null for all tokens.</summary>
    public static ITokenSelector? Create(AttentionKind kind, int contextLength, double keep)
    {
        int budget = Math.Max(4, (int)(keep * contextLength));
        return kind switch
        {
            AttentionKind.TokenSelect => new TokenSelect(new() { InitialTokens = budget / 4, LocalTokens = budget / 4, TopK = budget - 2 * (budget / 4) }),
            AttentionKind.H2O => new HeavyHitters(heavyTokens: budget / 2, recentTokens: budget - budget / 2),
            _ => null,
        };
    }
}
