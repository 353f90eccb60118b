namespace Kernels.Tests;

/// <summary>Losses and log-probabilities, with and without bias, excluded words, ignored tokens, special values.</summary>
internal static class LinearCrossEntropyProblems
{
    public static void Run(KernelVariant _, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        var shape = new LinearClassifierShape(draw.Length(200), draw.Length(70), draw.Length(1100));
        float[] hidden = draw.Values<float>(shape.TokenCount * shape.Width, draw.Pick(0.01, 1, 30)),
            weights = draw.Normals<float>(shape.VocabularySize * shape.Width, 1);
        float[] bias = draw.Chance(0.5) ? draw.Values<float>(shape.VocabularySize, 2) : [];
        int[] targets = draw.Integers<int>(shape.TokenCount, 0, shape.VocabularySize - 1);
        int ignored = draw.Pick(-100, 0);
        for (int token = 0; token < targets.Length; token++)
        {
            if (draw.Chance(0.2))
                targets[token] = ignored;
        }
        var options = new LinearCrossEntropyOptions { Bias = bias, IgnoredTarget = ignored, Kernel = kernel };
        float[] losses = new float[shape.TokenCount], logProbabilities = new float[shape.TokenCount], logSumExp = new float[shape.TokenCount];
        results.Add<double>([LinearCrossEntropy.TokenLosses(hidden, weights, targets, losses, shape, options).Sum]);
        LinearCrossEntropy.LogProbabilities(hidden, weights, targets, logProbabilities, logSumExp, shape, options);
        results.Add<float>(losses);
        results.Add<float>(logProbabilities);
        results.Add<float>(logSumExp);
    }
}
