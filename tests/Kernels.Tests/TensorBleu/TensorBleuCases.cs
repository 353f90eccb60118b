using System.Collections.Concurrent;
using System.Numerics;
using Kernels.Core.Elements;

namespace Kernels.Tests;

/// <summary>A candidate and its references, as ids.</summary>
internal sealed record BleuSentence(long[] Candidate, long[][] References);

/// <summary>Batches for the BLEU tests, and the ways to hand them over.</summary>
internal static class TensorBleuCases
{
    private static readonly ConcurrentDictionary<string, int> s_words = new();

    private static int s_wordCount;

    /// <summary>Test classes that count allocations: the spare team of a job would be taken by another class that runs the same job.</summary>
    public const string NotInParallel = "BLEU";

    public static TheoryData<string> Variants<T>() where T : unmanaged
    {
        var data = new TheoryData<string>();
        foreach (KernelVariant variant in KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants))
        {
            if (variant.Family == "tensor_bleu" && variant.Types == TypeName.Of<T>())
                data.Add(variant.Identity);
        }
        return data;
    }

    /// <summary>
    /// Random sentences: references are mutated copies of the candidate, and up to <paramref name="mostReferences"/> of them. Ids stand
    /// <paramref name="idDistance"/> apart.
    /// </summary>
    public static BleuSentence[] Random(int count, int longest, int vocabulary, int mostReferences, int seed, int fewestReferences = 0, long firstId = 0,
        int idDistance = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            long[] candidate = [.. Enumerable.Range(0, random.Next(longest + 1)).Select(_ => Draw())];
            double rate = random.NextDouble();
            long[][] references = [.. Enumerable.Range(0, random.Next(fewestReferences, mostReferences + 1))
                .Select(_ => Mutate(candidate, Draw, rate, random))];
            return new BleuSentence(candidate, references);
        })];

        long Draw() => firstId + (long)idDistance * random.Next(vocabulary);
    }

    public static T[] Flat<T>(IEnumerable<long[]> sequences) where T : unmanaged, IBinaryInteger<T> =>
        [.. sequences.SelectMany(sequence => sequence).Select(T.CreateTruncating)];

    public static int[] Offsets(IEnumerable<int> lengths)
    {
        List<int> offsets = [0];
        foreach (int length in lengths)
            offsets.Add(offsets[^1] + length);
        return [.. offsets];
    }

    public static TokenBatch<T> Ragged<T>(IReadOnlyCollection<long[]> sequences) where T : unmanaged, IBinaryInteger<T> =>
        TokenBatch.Ragged<T>(Flat<T>(sequences), Offsets(sequences.Select(s => s.Length)));

    public static TokenBatch<T> Padded<T>(IReadOnlyCollection<long[]> sequences, long pad) where T : unmanaged, IBinaryInteger<T>
    {
        int length = Math.Max(1, sequences.Select(s => s.Length).DefaultIfEmpty().Max());
        return TokenBatch.Padded<T>(Flat<T>(sequences.Select(s => s.Concat(Enumerable.Repeat(pad, length - s.Length)).ToArray())), length,
            T.CreateTruncating(pad));
    }

    public static TokenBatch<T> Candidates<T>(BleuSentence[] batch) where T : unmanaged, IBinaryInteger<T> => Ragged<T>([.. batch.Select(s => s.Candidate)]);

    public static BleuReferences<T> References<T>(BleuSentence[] batch) where T : unmanaged, IBinaryInteger<T> =>
        BleuReferences.Grouped(Ragged<T>([.. batch.SelectMany(s => s.References)]), Offsets(batch.Select(s => s.References.Length)));

    /// <summary>The score of one sentence of ids.</summary>
    public static double Score(long[] candidate, long[][] references, in BleuOptions options)
    {
        var scores = new double[options.WeightSetCount];
        BleuSentence[] batch = [new(candidate, references)];
        TensorBleu.Score(Candidates<int>(batch), References<int>(batch), scores, options);
        return scores[0];
    }

    /// <summary>Words become ids: numbers by their first appearance, the same in every call.</summary>
    public static long[] Ids(string words) =>
        [.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => (long)s_words.GetOrAdd(word, _ => Interlocked.Increment(ref s_wordCount)))];

    private static long[] Mutate(long[] tokens, Func<long> draw, double rate, Random random)
    {
        List<long> result = [];
        foreach (long token in tokens)
        {
            double fate = random.NextDouble();
            if (fate < rate / 3)
                continue;
            result.Add(fate < rate ? draw() : token);
            if (random.NextDouble() < rate / 3)
                result.Add(draw());
        }
        return [.. result];
    }
}
