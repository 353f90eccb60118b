namespace Kernels.Repository.Tests;

/// <summary>The README's examples, compiled and checked. Each stands between its two marks word for word.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public void SoftmaxExample()
    {
        // README
        float[] logits = [1f, 2f, 3f, float.NegativeInfinity, 0f, 100f];          // two rows of three
        float[] probabilities = new float[6];
        Softmax.Compute<float>(logits, probabilities, rowLength: 3);              // each row sums to 1
        Softmax.LogSoftmax<float>(logits, probabilities, 3, new() { Scale = 1 / 0.8 });

        float[] best = new float[2];
        int[] tokens = new int[2];
        Softmax.TopK<float>(logits, best, tokens, 3, count: 1);                   // the most likely token of each row
        KernelVariant chosen = KernelInfo.Catalogue[0].Chosen;                    // what ran, and KernelInfo says why
        // end
        Softmax.Compute<float>(logits, probabilities, 3);
        Assert.Equal(1, probabilities[0] + probabilities[1] + probabilities[2], 1e-6f);
        Assert.Equal(0, probabilities[3]);
        Assert.Equal(Math.Exp(-100), probabilities[4], 2 * float.Epsilon); // denormal, and kept
        Assert.Equal(1, probabilities[5], 1e-6f);
        Assert.Equal([2, 2], tokens);
        Assert.Equal(0.66524096f, best[0], 1e-6f);
        Assert.Equal("softmax", chosen.Family);
    }
}
