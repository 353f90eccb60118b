namespace Kernels.Repository.Tests;

/// <summary>The README's example of the family, compiled and checked. It stands between its two marks word for word.</summary>
public sealed class LinearCrossEntropyExample
{
    [Fact]
    public void ItsNumbersAreRight()
    {
        // README
        float[] rows = [1f, 0f, 0f, 2f, 9f, 9f], words = [1f, 0f, 0f, 1f, -1f, -1f];  // three tokens of width 2; the weights of three words
        int[] next = [0, 1, -100];                                                // the right words; -100: a token that does not count
        var sizes = new LinearClassifierShape(TokenCount: 3, Width: 2, VocabularySize: 3);
        CrossEntropyReport loss = LinearCrossEntropy.Loss(rows, words, next, sizes);    // loss.Mean, loss.Sum, loss.CountedTokens; no logits are kept
        // end
        Assert.Equal(2, loss.CountedTokens);
        double first = Math.Log(Math.Exp(1) + Math.Exp(0) + Math.Exp(-1)) - 1, second = Math.Log(Math.Exp(0) + Math.Exp(2) + Math.Exp(-2)) - 2;
        Assert.Equal((first + second) / 2, loss.Mean, 1e-6);
    }
}
