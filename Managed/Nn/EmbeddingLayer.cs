using Kernels.Core.Checks;
using Kernels.Core.ParaRnn;
using Kernels.Cpu.Primitives;

namespace Kernels.Nn;

/// <summary>A row of a table for each token: what a product with one-hot rows gives, without the product.</summary>
public sealed class EmbeddingLayer
{
    /// <summary>A table of standard normal numbers.</summary>
    /// <param name="name">Prefix of the parameter's name.</param>
    /// <param name="tokenCount">Rows of the table, 1 or more.</param>
    /// <param name="elementCount">Columns of the table, 1 or more.</param>
    /// <param name="seed">The seed of the table.</param>
    /// <exception cref="ArgumentNullException">There is no name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is not positive, or the table exceeds an array.</exception>
    public EmbeddingLayer(string name, int tokenCount, int elementCount, int seed)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokenCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(elementCount);
        RnnChecks.ArrayLength((long)tokenCount * elementCount, nameof(elementCount));
        (TokenCount, ElementCount) = (tokenCount, elementCount);
        Weights = new Parameter($"{name}.weight", tokenCount, elementCount);
        Weights.FillNormal(new Random(seed), 1);
    }

    /// <summary>Tokens are from 0 to below this.</summary>
    public int TokenCount { get; }

    /// <summary>Elements of a token's row.</summary>
    public int ElementCount { get; }

    /// <summary>[tokens, elements], as torch's Embedding keeps them.</summary>
    public Parameter Weights { get; }

    /// <summary>Copies each token's row.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="outputs">Receives [tokens, elements].</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is none of the table; nothing was written.</exception>
    public void Forward(ReadOnlySpan<int> tokens, Span<float> outputs)
    {
        CheckTokens(tokens);
        Check.AtLeast(outputs.Length, (long)tokens.Length * ElementCount, nameof(outputs));
        for (int i = 0; i < tokens.Length; i++)
            Weights.Values.AsSpan(tokens[i] * ElementCount, ElementCount).CopyTo(outputs[(i * ElementCount)..]);
    }

    /// <summary>Adds to the gradients of the rows that were copied, token by token in their order.</summary>
    /// <param name="tokens">The forward pass's tokens.</param>
    /// <param name="outputGradients">[tokens, elements].</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is none of the table; nothing was added.</exception>
    public void Backward(ReadOnlySpan<int> tokens, ReadOnlySpan<float> outputGradients)
    {
        CheckTokens(tokens);
        Check.Exactly(outputGradients.Length, (long)tokens.Length * ElementCount, nameof(outputGradients));
        for (int i = 0; i < tokens.Length; i++)
            RowSums.Add(Weights.Gradients.AsSpan(tokens[i] * ElementCount, ElementCount), outputGradients.Slice(i * ElementCount, ElementCount));
    }

    private void CheckTokens(ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)TokenCount)
                throw new ArgumentOutOfRangeException(nameof(tokens), token, $"there are tokens from 0 to {TokenCount - 1}");
        }
    }
}
