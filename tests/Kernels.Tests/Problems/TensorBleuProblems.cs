using System.Numerics;

namespace Kernels.Tests;

/// <summary>Padded batches with mutated references, scores and statistics.</summary>
internal static class TensorBleuProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        switch (variant.Types)
        {
            case "i32": Run<int>(draw, kernel, results); break;
            case "i64": Run<long>(draw, kernel, results); break;
            case "u16": Run<ushort>(draw, kernel, results); break;
            default: Run<uint>(draw, kernel, results); break;
        }
    }

    private static void Run<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged, IBinaryInteger<T>
    {
        int count = draw.Between(1, 9), length = draw.Length(260), perCandidate = draw.Between(1, 3), vocabulary = draw.Pick(3, 50, 30000);
        T[] references = draw.Integers<T>(count * perCandidate * length, 0, vocabulary), candidates = new T[count * length];
        for (int i = 0; i < candidates.Length; i++)
            candidates[i] = draw.Chance(0.2) ? T.CreateChecked(draw.Between(0, vocabulary)) : references[i / length * perCandidate * length + i % length];
        TokenBatch<T> batch = TokenBatch.Padded<T>(candidates, length, T.Zero);
        BleuReferences<T> answers = BleuReferences.Uniform(TokenBatch.Padded<T>(references, length, T.Zero), perCandidate);
        BleuSmoothing smoothing = draw.Pick(Enum.GetValues<BleuSmoothing>());
        // NLTK's method 6 needs three orders.
        var options = new BleuOptions
        {
            Kernel = kernel,
            Smoothing = smoothing,
            MaxOrder = smoothing == BleuSmoothing.NltkMethod6 ? draw.Pick(4, 8)
            : draw.Pick(1, 4, 8)
        };
        double[] scores = new double[count];
        var statistics = new BleuStatistics[count];
        using var scorer = new BleuScorer();
        scorer.Score(batch, answers, scores, options);
        results.Add<double>(scores);
        scorer.Statistics(batch, answers, statistics, options);
        foreach (BleuStatistics sentence in statistics)
            results.Add<char>(sentence.ToString());
    }
}
