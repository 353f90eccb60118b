namespace Kernels;

/// <summary>A corpus score and how far it is certain.</summary>
/// <param name="Score">The score of the sentences themselves.</param>
/// <param name="Mean">The mean score of the resamples.</param>
/// <param name="Low">The bound that half of the remaining share of resamples is below.</param>
/// <param name="High">The bound that the other half is above.</param>
public readonly record struct BleuInterval(double Score, double Mean, double Low, double High);

/// <summary>Bootstrap resampling of sentence statistics.</summary>
internal static class BleuBootstrap
{
    public static BleuInterval Run(ReadOnlySpan<BleuStatistics> sentences, BleuOptions options, int resamples, ulong seed, double confidence)
    {
        if (sentences.IsEmpty)
            throw new ArgumentException("there is no sentence to draw", nameof(sentences));
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 2);
        if (!(confidence > 0 && confidence < 1))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "a share within 0 and 1 is needed");
        BleuStatistics whole = default;
        foreach (ref readonly BleuStatistics sentence in sentences)
            whole += sentence;
        double score = whole.Score(options), sum = 0;
        var scores = new double[resamples];
        ulong state = seed;
        for (int i = 0; i < resamples; i++)
        {
            scores[i] = Resample(sentences, ref state).Score(options);
            sum += scores[i];
        }
        Array.Sort(scores);
        double outside = (1 - confidence) / 2;
        return new BleuInterval(score, sum / resamples, scores[(int)(outside * resamples)], scores[Math.Min(resamples - 1, (int)((1 - outside) * resamples))]);
    }

    private static BleuStatistics Resample(ReadOnlySpan<BleuStatistics> sentences, ref ulong state)
    {
        BleuStatistics sum = default;
        for (int i = 0; i < sentences.Length; i++)
            sum += sentences[(int)Math.BigMul(Next(ref state), (ulong)sentences.Length, out _)];
        return sum;
    }

    // SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014), with its published constants.
    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
