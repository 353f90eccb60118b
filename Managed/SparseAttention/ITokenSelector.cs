namespace Kernels;

/// <summary>Chooses the tokens that a step of decoding attends to, and may learn from their probabilities: one for each layer and sequence.</summary>
/// <remarks>
/// A selector that cannot rank tokens, because scores are not finite, throws <see cref="NotFiniteNumberException"/> rather than take any; one that keeps what
/// belongs to tokens of the sequence
/// sees when tokens were taken away, and forgets it or throws.
/// </remarks>
public interface ITokenSelector
{
    /// <summary>Whether <see cref="Observe"/> is to be called.</summary>
    bool ObservesProbabilities { get; }

    /// <summary>The tokens to attend to, strictly ascending; empty for all of them. Valid until the next call.</summary>
    /// <param name="queries">[queries, query heads, d].</param>
    /// <param name="cache">Keys and values.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="options">How to run.</param>
    ReadOnlySpan<int> Select(ReadOnlySpan<float> queries, KvCache cache, int sequence, KernelOptions options);

    /// <summary>Sees the probabilities that came of the selection.</summary>
    /// <param name="positions">What <see cref="Select"/> returned.</param>
    /// <param name="probabilities">[query heads, tokens], the tokens in the order of the positions.</param>
    /// <param name="tokenCount">The number of tokens attended to.</param>
    /// <exception cref="NotFiniteNumberException">A probability is not finite; nothing was learned.</exception>
    void Observe(ReadOnlySpan<int> positions, ReadOnlySpan<float> probabilities, int tokenCount);

    /// <summary>Forgets all that was selected and observed: as new, for another sequence.</summary>
    void Reset();
}
