namespace Kernels.Tests;

/// <summary>Bad arguments are refused by name before a score is written.</summary>
public sealed class TensorBleuArgumentTests
{
    private const double Untouched = 42;

    public static TheoryData<string, string> BadCalls => new()
    {
        { "falling offsets", "offsets" },
        { "offsets beyond the tokens", "offsets" },
        { "negative offset", "offsets" },
        { "row length does not divide", "rowLength" },
        { "negative row length", "rowLength" },
        { "zero row length with tokens", "rowLength" },
        { "no references per candidate", "referencesPerCandidate" },
        { "references per candidate do not divide", "referencesPerCandidate" },
        { "falling groups", "groupOffsets" },
        { "groups beyond the sequences", "groupOffsets" },
        { "fewer references than candidates", "references" },
        { "prepared groups do not divide", "references" },
        { "more orders than prepared", "references" },
        { "prepared for the other mode", "TensorBleuCompatible" },
        { "scores too short", "scores" },
        { "scores too short for two sets", "scores" },
        { "order 0", "MaxOrder" },
        { "order 9", "MaxOrder" },
        { "method 6 with two orders", "MaxOrder" },
        { "unknown smoothing", "Smoothing" },
        { "negative smoothing value", "SmoothingValue" },
        { "NaN smoothing value", "SmoothingValue" },
        { "weights of half a set", "Weights" },
        { "negative weight", "Weights" },
        { "NaN weight", "Weights" },
        { "weights all 0", "Weights" },
        { "compatible with NLTK", "TensorBleuCompatible" },
        { "compatible with effective order", "TensorBleuCompatible" },
        { "compatible score of statistics", "TensorBleuCompatible" },
        { "negative parallelism", "MaxDegreeOfParallelism" },
        { "unknown variant", "Variant" },
        { "statistics too short", "statistics" },
        { "sum of other orders", "right" },
        { "sum of tokens beyond 64 bits", "right" },
        { "sum of matches beyond 64 bits", "right" },
        { "scores of more sets than an array holds", "scores" },
        { "score of orders not counted", "options" },
        { "no sentence to draw", "sentences" },
        { "one resample", "resamples" },
        { "confidence of 1", "confidence" },
        { "more matches than n-grams", "matches" },
    };

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void IsRefusedByName(string call, string parameter)
    {
        var scores = new double[3];
        Array.Fill(scores, Untouched);
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => Make(call, scores));
        Assert.Equal(parameter, refused.ParamName);
        Assert.All(scores, score => Assert.Equal(Untouched, score));
    }

    private static void Make(string call, double[] scores)
    {
        int[] tokens = [1, 2, 3, 4, 5, 6];
        TokenBatch<int> rows = TokenBatch.Padded<int>(tokens, 2, 0);
        var one = BleuStatistics.FromCounts([1], [2], 2, 2);
        using var scorer = new BleuScorer();
        switch (call)
        {
            case "falling offsets": TokenBatch.Ragged<int>(tokens, [0, 3, 2]); break;
            case "offsets beyond the tokens": TokenBatch.Ragged<int>(tokens, [0, 3, 7]); break;
            case "negative offset": TokenBatch.Ragged<int>(tokens, [-1, 3]); break;
            case "row length does not divide": TokenBatch.Padded<int>(tokens, 4, 0); break;
            case "negative row length": TokenBatch.Padded<int>(tokens, -1, 0); break;
            case "zero row length with tokens": TokenBatch.Padded<int>(tokens, 0, 0); break;
            case "no references per candidate": BleuReferences.Uniform(rows, 0); break;
            case "references per candidate do not divide": BleuReferences.Uniform(rows, 2); break;
            case "falling groups": BleuReferences.Grouped(rows, [0, 2, 1]); break;
            case "groups beyond the sequences": BleuReferences.Grouped(rows, [0, 4]); break;
            case "fewer references than candidates": TensorBleu.Score(rows, TokenBatch.Padded<int>(tokens, 3, 0), scores); break;
            case "prepared groups do not divide": scorer.Score(rows, new PreparedReferences<int>(TokenBatch.Padded<int>(tokens, 3, 0)), scores); break;
            case "more orders than prepared":
                scorer.Score(rows, new PreparedReferences<int>(rows), scores,
                new() { Smoothing = BleuSmoothing.NltkMethod5 }); break;
            case "prepared for the other mode": scorer.Score(rows, new PreparedReferences<int>(rows), scores, new() { TensorBleuCompatible = true }); break;
            case "scores too short": TensorBleu.Score(rows, rows, scores.AsSpan(0, 2)); break;
            case "scores too short for two sets": TensorBleu.Score(rows, rows, scores, new() { MaxOrder = 1, Weights = new double[] { 1, 1 } }); break;
            case "order 0": TensorBleu.Score(rows, rows, scores, new() { MaxOrder = 0 }); break;
            case "order 9": TensorBleu.Score(rows, rows, scores, new() { MaxOrder = 9 }); break;
            case "method 6 with two orders": TensorBleu.Score(rows, rows, scores, new() { MaxOrder = 2, Smoothing = BleuSmoothing.NltkMethod6 }); break;
            case "unknown smoothing": TensorBleu.Score(rows, rows, scores, new() { Smoothing = (BleuSmoothing)99 }); break;
            case "negative smoothing value": TensorBleu.Score(rows, rows, scores, new() { SmoothingValue = -1 }); break;
            case "NaN smoothing value": TensorBleu.Score(rows, rows, scores, new() { SmoothingValue = double.NaN }); break;
            case "weights of half a set": TensorBleu.Score(rows, rows, scores, new() { Weights = new double[] { 1, 2 } }); break;
            case "negative weight": TensorBleu.Score(rows, rows, scores, new() { MaxOrder = 1, Weights = new double[] { -1 } }); break;
            case "NaN weight": TensorBleu.Score(rows, rows, scores, new() { MaxOrder = 1, Weights = new[] { double.NaN } }); break;
            case "weights all 0": TensorBleu.Score(rows, rows, scores, new() { Weights = new double[4] }); break;
            case "compatible with NLTK":
                TensorBleu.Score(rows, rows, scores,
                new() { TensorBleuCompatible = true, Smoothing = BleuSmoothing.NltkMethod1 }); break;
            case "compatible with effective order": TensorBleu.Score(rows, rows, scores, new() { TensorBleuCompatible = true, EffectiveOrder = true }); break;
            case "compatible score of statistics": TensorBleu.Accumulate(rows, rows).Score(new() { TensorBleuCompatible = true }); break;
            case "negative parallelism": TensorBleu.Score(rows, rows, scores, new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }); break;
            case "unknown variant": TensorBleu.Score(rows, rows, scores, new() { Kernel = new() { Variant = "tensor_bleu/i32/cpu/abacus" } }); break;
            case "statistics too short": scorer.Statistics(rows, rows, new BleuStatistics[2]); break;
            case "sum of other orders": _ = one + TensorBleu.Accumulate(rows, rows); break;
            case "sum of tokens beyond 64 bits": _ = BleuStatistics.FromCounts([1], [2], long.MaxValue, 2) + one; break;
            case "sum of matches beyond 64 bits": _ = one + BleuStatistics.FromCounts([long.MaxValue], [long.MaxValue], 2, 2); break;
            case "scores of more sets than an array holds":
                TensorBleu.Score(TokenBatch.Ragged<int>(tokens, new int[70_000]),
                BleuReferences.Grouped(rows, new int[70_000]), scores, new() { MaxOrder = 1, Weights = [.. Enumerable.Repeat(1.0, 70_000)] }); break;
            case "score of orders not counted": one.Score(); break;
            case "no sentence to draw": TensorBleu.Bootstrap([]); break;
            case "one resample": TensorBleu.Bootstrap([one], resamples: 1); break;
            case "confidence of 1": TensorBleu.Bootstrap([one], confidence: 1); break;
            case "more matches than n-grams": BleuStatistics.FromCounts([3], [2], 2, 2); break;
            default: throw new InvalidOperationException(call);
        }
    }

    [Fact]
    public void OtherIdTypesAreRefused() =>
        Assert.Throws<TypeInitializationException>(() =>
        TensorBleu.Score(TokenBatch.Padded<byte>([1], 1, 0), TokenBatch.Padded<byte>([1], 1, 0), new double[1]));

    [Fact]
    public void EmptyBatchesAreNothingToDo()
    {
        TensorBleu.Score<int>(default, default(BleuReferences<int>), []);
        Assert.Equal(default, TensorBleu.Accumulate(TokenBatch.Ragged<int>([], []), TokenBatch.Ragged<int>([], [0])));
        Assert.Equal(0, default(BleuStatistics).Score());
    }

    [Fact]
    public void CancelledCallsThrow()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() =>
        {
            TokenBatch<int> rows = TokenBatch.Padded<int>([1, 2], 1, 0);
            TensorBleu.Score(rows, rows, new double[2], new() { Kernel = new() { CancellationToken = cancelled } });
        });
    }

    [Fact]
    public void DisposedScorersThrow()
    {
        var scorer = new BleuScorer();
        scorer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => scorer.Accumulate<int>(TokenBatch.Padded<int>([1], 1, 0), TokenBatch.Padded<int>([1], 1, 0)));
    }
}
