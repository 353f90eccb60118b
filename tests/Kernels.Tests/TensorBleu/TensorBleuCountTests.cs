using System.Numerics;

namespace Kernels.Tests;

/// <summary>Counts of every variant against the oracle: layouts, sizes, edge cases, threads, memory.</summary>
public abstract class TensorBleuCountTests<T> where T : unmanaged, IBinaryInteger<T>
{
    private const int Orders = BleuOptions.LargestOrder;

    public static TheoryData<string> Variants => TensorBleuCases.Variants<T>();

    // Ids at the top of the type's range, so that no bit of them may be lost.
    private static long FirstId => typeof(T) == typeof(long) ? long.MinValue + 5 : typeof(T) == typeof(int) ? int.MinValue + 5 : typeof(T) == typeof(ushort)
        ? 65_000 : uint.MaxValue - 500L;

    // Ids side by side, most often within one block of 256, and ids never within one; odd, so that they wrap around in the smaller types without meeting.
    private static readonly int[] s_idDistances = [1, 257];

    private static KernelOptions Force(string variant, int threads = 1) => new() { Variant = variant, MaxDegreeOfParallelism = threads };

    [Theory]
    [MemberData(nameof(Variants))]
    public void RaggedBatchesAreCountedExactly(string variant)
    {
        using var scorer = new BleuScorer();
        int seed = 0;
        foreach (int longest in new[] { 0, 1, 2, 3, 4, 5, 8, 9, 17, 40, 130, 600 })
        {
            foreach (int vocabulary in new[] { 1, 2, 5, 100, 500 })
            {
                foreach (int idDistance in s_idDistances)
                {
                    BleuSentence[] batch = TensorBleuCases.Random(12, longest, vocabulary, mostReferences: 4, seed++, firstId: FirstId, idDistance: idDistance);
                    AssertCounts(batch, Count(scorer, batch, Force(variant)), $"longest {longest}, vocabulary {vocabulary}, ids {idDistance} apart");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void PaddedBatchesAreCountedExactly(string variant)
    {
        // The pad id also stands inside sentences, where it is a token. A row that would end in it is cut there, as any reader of the tensor must.
        const long pad = 1;
        using var scorer = new BleuScorer();
        BleuSentence[] batch = [.. TensorBleuCases.Random(60, 30, vocabulary: 4, mostReferences: 3, seed: 7, fewestReferences: 3)
            .Select(s => new BleuSentence(Trim(s.Candidate, pad), [.. s.References.Select(r => Trim(r, pad))]))];
        foreach (bool keepEmptyRows in new[] { true, false })
        {
            var statistics = new BleuStatistics[batch.Length];
            BleuReferences<T> references = BleuReferences.Uniform(TensorBleuCases.Padded<T>([.. batch.SelectMany(s => s.References)], pad), 3, keepEmptyRows);
            scorer.Statistics(TensorBleuCases.Padded<T>([.. batch.Select(s => s.Candidate)], pad), references, statistics,
                new() { MaxOrder = Orders, Kernel = Force(variant) });
            AssertCounts(keepEmptyRows ? batch : [.. batch.Select(WithoutEmpty)], statistics, $"empty rows kept: {keepEmptyRows}");
        }
    }

    // Rows of any length, filled with any id, and tokens before the first sequence and behind the last one.
    [Theory]
    [MemberData(nameof(Variants))]
    public void WhatIsNoPartOfASequenceHasNoInfluence(string variant)
    {
        const long token = 7, junk = 3;
        using var scorer = new BleuScorer();
        BleuSentence[] batch = TensorBleuCases.Random(20, 15, vocabulary: 3, mostReferences: 1, seed: 9, fewestReferences: 1, firstId: 2);
        batch = [.. batch.Select(s => new BleuSentence([token, .. s.Candidate, token], [[token, .. s.References[0], token]]))];
        BleuStatistics[] expected = Count(scorer, batch, Force(variant)), actual = new BleuStatistics[batch.Length];
        long[][] candidates = [.. batch.Select(s => s.Candidate)], references = [.. batch.Select(s => s.References[0])];
        foreach (long pad in new[] { 0L, junk, 99 })
        {
            foreach (int longer in new[] { 0, 1, 40 })
            {
                long[] filling = [.. Enumerable.Repeat(pad, candidates.Concat(references).Max(s => s.Length) + longer)];
                scorer.Statistics(TensorBleuCases.Padded<T>([.. candidates, filling], pad), TensorBleuCases.Padded<T>([.. references, filling], pad),
                    actual = new BleuStatistics[batch.Length + 1], new() { MaxOrder = Orders, Kernel = Force(variant) });
                Assert.Equal(expected, actual[..^1]);
            }
        }
        T[] Between(long[][] sequences) => TensorBleuCases.Flat<T>([[junk, token, junk], .. sequences, [token, token, junk]]);
        int[] Offsets(long[][] sequences) => [.. TensorBleuCases.Offsets(sequences.Select(s => s.Length)).Select(offset => offset + 3)];
        actual = new BleuStatistics[batch.Length];
        scorer.Statistics(TokenBatch.Ragged<T>(Between(candidates), Offsets(candidates)), TokenBatch.Ragged<T>(Between(references), Offsets(references)),
            actual, new() { MaxOrder = Orders, Kernel = Force(variant) });
        Assert.Equal(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void PreparedReferencesGiveTheSameCounts(string variant)
    {
        using var scorer = new BleuScorer();
        foreach (int samples in new[] { 1, 3 })
        {
            BleuSentence[] prompts = TensorBleuCases.Random(20, 60, vocabulary: 30, mostReferences: 3, seed: samples);
            BleuSentence[] batch = [.. prompts.SelectMany((p, i) => TensorBleuCases.Random(samples, 60, 30, 0, seed: i).Append(p).Take(samples)
                .Select(s => new BleuSentence(s.Candidate, p.References)))];
            var options = new BleuOptions { MaxOrder = Orders, Kernel = Force(variant) };
            var prepared = new PreparedReferences<T>(TensorBleuCases.References<T>(prompts), options);
            var statistics = new BleuStatistics[batch.Length];
            foreach (int order in new[] { 3, Orders })
            {
                scorer.Statistics(TensorBleuCases.Candidates<T>(batch), prepared, statistics, new() { MaxOrder = order });
                AssertCounts(batch, statistics, $"{samples} samples, order {order}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void ScratchOfOtherSizesLeavesNoTrace(string variant)
    {
        // Small, large and small batches again, with both variants in turn, over the same memory.
        using var scorer = new BleuScorer();
        for (int round = 0; round < 40; round++)
        {
            BleuSentence[] batch = TensorBleuCases.Random(6, round % 3 == 1 ? 300 : 3 + round, vocabulary: 6, mostReferences: 1 + round % 5, seed: round,
                idDistance: s_idDistances[round % s_idDistances.Length]);
            AssertCounts(batch, Count(scorer, batch, Force(variant)), $"round {round}");
            if (round % 5 == 4)
                AssertCounts(batch, Count(scorer, batch, Force(variant.EndsWith("hash", StringComparison.Ordinal) ? variant.Replace("hash", "sort")
                    : variant.Replace("sort", "hash"))), "other variant");
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void ThreadsDoNotChangeABit(string variant)
    {
        BleuSentence[] batch = TensorBleuCases.Random(700, 60, vocabulary: 20, mostReferences: 3, seed: 1);
        double[] weights = [0.25, 0.25, 0.25, 0.25, 0.4, 0.3, 0.2, 0.1];
        double[]? first = null;
        // 0: as many as pay.
        foreach (int threads in new[] { 1, 2, 3, 7, 0 })
        {
            var scores = new double[2 * batch.Length];
            TensorBleu.Score(TensorBleuCases.Candidates<T>(batch), TensorBleuCases.References<T>(batch), scores,
                new() { Weights = weights, Kernel = Force(variant, threads) });
            first ??= scores;
            Assert.Equal(first.Select(BitConverter.DoubleToInt64Bits), scores.Select(BitConverter.DoubleToInt64Bits));
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void NothingIsAllocatedOnceWarm(string variant)
    {
        BleuSentence[] batch = TensorBleuCases.Random(200, 60, vocabulary: 20, mostReferences: 3, seed: 2);
        T[] tokens = TensorBleuCases.Flat<T>(batch.Select(s => s.Candidate)), referenceTokens = TensorBleuCases.Flat<T>(batch.SelectMany(s => s.References));
        int[] offsets = TensorBleuCases.Offsets(batch.Select(s => s.Candidate.Length)), referenceOffsets =
            TensorBleuCases.Offsets(batch.SelectMany(s => s.References).Select(r => r.Length));
        int[] groups = TensorBleuCases.Offsets(batch.Select(s => s.References.Length));
        var scores = new double[batch.Length];
        foreach (int threads in new[] { 1, 2 })
        {
            using var scorer = new BleuScorer();
            KernelOptions kernel = Force(variant, threads);
            var prepared = new PreparedReferences<T>(BleuReferences.Grouped(TokenBatch.Ragged<T>(referenceTokens, referenceOffsets), groups),
                new() { Kernel = kernel });
            Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
            {
                TokenBatch<T> candidates = TokenBatch.Ragged<T>(tokens, offsets);
                scorer.Score(candidates, BleuReferences.Grouped(TokenBatch.Ragged<T>(referenceTokens, referenceOffsets), groups), scores,
                    new() { Kernel = kernel });
                scorer.Score(candidates, prepared, scores, new() { Smoothing = BleuSmoothing.Floor, Kernel = kernel });
            }));
        }
    }

    private static BleuStatistics[] Count(BleuScorer scorer, BleuSentence[] batch, KernelOptions kernel)
    {
        var statistics = new BleuStatistics[batch.Length];
        scorer.Statistics(TensorBleuCases.Candidates<T>(batch), TensorBleuCases.References<T>(batch), statistics, new() { MaxOrder = Orders, Kernel = kernel });
        return statistics;
    }

    private static void AssertCounts(BleuSentence[] batch, BleuStatistics[] actual, string message)
    {
        for (int i = 0; i < batch.Length; i++)
        {
            BleuStatistics found = actual[i];
            int orders = found.OrderCount;
            int[] all = [.. Enumerable.Range(1, orders)];
            (long[] candidate, long[][] references) = (batch[i].Candidate, batch[i].References);
            Assert.True(TensorBleuOracle.Matches(candidate, references, orders).SequenceEqual(all.Select(n => found.Matches(n))),
                $"matches of sentence {i}, {message}");
            Assert.Equal(TensorBleuOracle.Totals(candidate, orders), all.Select(n => found.Totals(n)));
            Assert.Equal((candidate.Length, TensorBleuOracle.ClosestLength(candidate, references), 1),
                (found.CandidateLength, found.ReferenceLength, found.SentenceCount));
        }
    }

    private static long[] Trim(long[] tokens, long pad) => tokens[..(Array.FindLastIndex(tokens, token => token != pad) + 1)];

    private static BleuSentence WithoutEmpty(BleuSentence sentence) => new(sentence.Candidate, [.. sentence.References.Where(r => r.Length > 0)]);
}

[Collection(TensorBleuCases.NotInParallel)]
public sealed class TensorBleuCountTestsI32 : TensorBleuCountTests<int>;

[Collection(TensorBleuCases.NotInParallel)]
public sealed class TensorBleuCountTestsI64 : TensorBleuCountTests<long>;

[Collection(TensorBleuCases.NotInParallel)]
public sealed class TensorBleuCountTestsU16 : TensorBleuCountTests<ushort>;

[Collection(TensorBleuCases.NotInParallel)]
public sealed class TensorBleuCountTestsU32 : TensorBleuCountTests<uint>;
