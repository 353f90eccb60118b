using System.Globalization;
using Kernels;

namespace BleuReward;

/// <summary>
/// A policy that is told nothing but its reward: for each prompt token it draws an output token from softmax(logits[prompt token]); the reward of a sample is
/// the sentence BLEU against the prompt itself. REINFORCE with the mean of the samples of a prompt as baseline: logits[t] += rate (reward - mean)
/// (onehot(output) - probabilities[t]).
/// </summary>
internal static class CopyPolicy
{
    private const int Vocabulary = 12, Length = 16, Prompts = 32, SamplesPerPrompt = 8, Steps = 400, ReportEvery = 40;
    private const float Rate = 1;

    /// <summary>The mean reward at which the policy can be said to copy; at step 0, when it draws blindly, the smoothed score is near 0.14.</summary>
    private const double Learned = 0.9;

    public static int Train(int seed, TextWriter output, CancellationToken interrupted)
    {
        var random = new Random(seed);
        var logits = new float[Vocabulary * Vocabulary];
        var probabilities = new float[logits.Length];
        int[] prompts = new int[Prompts * Length], samples = new int[SamplesPerPrompt * prompts.Length];
        var rewards = new double[Prompts * SamplesPerPrompt];
        using var scorer = new BleuScorer();
        double mean = 0;
        for (int step = 0; step <= Steps; step++)
        {
            interrupted.ThrowIfCancellationRequested();
            foreach (ref int token in prompts.AsSpan())
                token = random.Next(Vocabulary);
            Softmax.Compute<float>(logits, probabilities, Vocabulary);
            for (int i = 0; i < samples.Length; i++)
                samples[i] = Draw(random, probabilities.AsSpan(PromptToken(prompts, i) * Vocabulary, Vocabulary));
            Reward(scorer, samples, prompts, rewards);
            mean = rewards.Average();
            if (step % ReportEvery == 0)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step,4}  mean reward {mean:F3}  {new string('#', (int)(50 * mean))}"));
            Learn(logits, probabilities, prompts, samples, rewards);
        }
        output.WriteLine(mean >= Learned ? "it copies"
            : string.Create(CultureInfo.InvariantCulture, $"it has not learned to copy: {mean:F3} is below {Learned}"));
        return mean >= Learned ? 0 : 1;
    }

    // The references are prepared once and serve all samples of a prompt.
    private static void Reward(BleuScorer scorer, int[] samples, int[] prompts, double[] rewards)
    {
        var options = new BleuOptions { Smoothing = BleuSmoothing.AddK };
        var references = new PreparedReferences<int>(TokenBatch.Padded<int>(prompts, Length, padToken: Vocabulary), options);
        scorer.Score(TokenBatch.Padded<int>(samples, Length, padToken: Vocabulary), references, rewards, options);
    }

    private static void Learn(float[] logits, float[] probabilities, int[] prompts, int[] samples, double[] rewards)
    {
        // Each sample moves the logits of its own tokens; a batch's moves are averaged over its samples.
        var gradient = new float[logits.Length];
        for (int sample = 0; sample < rewards.Length; sample++)
        {
            double baseline = rewards.AsSpan(sample / SamplesPerPrompt * SamplesPerPrompt, SamplesPerPrompt).ToArray().Average();
            float advantage = (float)(rewards[sample] - baseline);
            for (int i = sample * Length; i < (sample + 1) * Length; i++)
            {
                int row = PromptToken(prompts, i) * Vocabulary;
                for (int token = 0; token < Vocabulary; token++)
                    gradient[row + token] += advantage * ((token == samples[i] ? 1 : 0) - probabilities[row + token]);
            }
        }
        for (int i = 0; i < logits.Length; i++)
            logits[i] += Rate * gradient[i] / Prompts;
    }

    private static int PromptToken(int[] prompts, int sampleToken) => prompts[sampleToken / (SamplesPerPrompt * Length) * Length + sampleToken % Length];

    private static int Draw(Random random, ReadOnlySpan<float> probabilities)
    {
        float lot = random.NextSingle();
        int token = 0;
        while (token < probabilities.Length - 1 && (lot -= probabilities[token]) >= 0)
            token++;
        return token;
    }
}
