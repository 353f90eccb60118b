using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Random sentences of few words, so that n-grams repeat, and the CPU's statistics as the oracle.</summary>
internal static class BleuGpuCases
{
    /// <summary>Sequences of any lengths, none included.</summary>
    public static (int[] Tokens, int[] Offsets) Ragged(int count, int longest, int vocabulary, int seed)
    {
        var random = new Random(seed);
        var tokens = new List<int>();
        int[] offsets = new int[count + 1];
        for (int i = 0; i < count; i++)
        {
            int length = random.Next(longest + 1);
            for (int j = 0; j < length; j++)
                tokens.Add(random.Next(vocabulary));
            offsets[i + 1] = tokens.Count;
        }
        return ([.. tokens], offsets);
    }

    public static void Check(TensorBleuGpu bleu, int candidates, int perCandidate, int longest, int vocabulary, int order)
    {
        (int[] tokens, int[] offsets) = Ragged(candidates, longest, vocabulary, candidates);
        (int[] others, int[] otherOffsets) = Ragged(candidates * perCandidate, longest, vocabulary, order);
        using GpuTokens onDevice = GpuTokens.Upload(bleu.Device, TokenBatch.Ragged<int>(tokens, offsets));
        using GpuBleuReferences references =
            GpuBleuReferences.Upload(bleu.Device, BleuReferences.Uniform(TokenBatch.Ragged<int>(others, otherOffsets), perCandidate));
        var actual = new BleuStatistics[candidates];
        bleu.Statistics(onDevice, references, actual, new() { MaxOrder = order });
        for (int i = 0; i < candidates; i++)
        {
            int[] own = [0, offsets[i + 1] - offsets[i]],
                theirs = [.. Enumerable.Range(i * perCandidate, perCandidate + 1).Select(j => otherOffsets[j] - otherOffsets[i * perCandidate])];
            BleuStatistics expected = TensorBleu.Accumulate(
                TokenBatch.Ragged<int>(tokens.AsSpan(offsets[i], own[1]), own),
                BleuReferences.Uniform(TokenBatch.Ragged<int>(others.AsSpan(otherOffsets[i * perCandidate], theirs[^1]), theirs), perCandidate),
                    new() { MaxOrder = order });
            Assert.Equal(Text(expected), Text(actual[i]));
        }
    }

    // All that statistics hold, so that a failure shows where they differ.
    private static string Text(BleuStatistics statistics) => string.Join("; ", Enumerable.Range(1, statistics.OrderCount)
        .Select(order => $"{statistics.Matches(order)} of {statistics.Totals(order)}, {statistics.SentencesWithout(order)} without")
        .Append($"{statistics.SentenceCount} sentences of {statistics.CandidateLength}, references of {statistics.ReferenceLength}"));
}
