using System.Globalization;
using System.Text.Json;
using Kernels;

namespace BleuReward;

/// <summary>Scores candidates against references, one JSON object a line, in batches: each score on a line of its own, the corpus score last.</summary>
internal static class JsonLineScores
{
    // Enough sentences for every core; few enough that a stream is answered soon.
    private const int BatchSize = 512;

    private const char ByteOrderMark = '\uFEFF';

    public static int Write(TextReader input, string name, TextWriter output, CancellationToken interrupted)
    {
        using var scorer = new BleuScorer();
        BleuStatistics corpus = default;
        int line = 0;
        for (List<Pair> batch = ReadBatch(input, name, ref line, interrupted); batch.Count > 0; batch = ReadBatch(input, name, ref line, interrupted))
            corpus += ScoreBatch(scorer, batch, output);
        var options = new BleuOptions { Smoothing = BleuSmoothing.Exponential, Percent = true };
        output.WriteLine(JsonSerializer.Serialize(
            new { corpus = corpus.Score(options), sentences = corpus.SentenceCount, signature = BleuSignature.Of(options, 0, BleuTokenizer.Mteval13a) }));
        return 0;
    }

    private sealed record Pair(string Candidate, IReadOnlyList<string> References);

    private static BleuStatistics ScoreBatch(BleuScorer scorer, List<Pair> batch, TextWriter output)
    {
        // One vocabulary for both sides; ids of one batch are compared with nothing else.
        var vocabulary = new BleuVocabulary();
        EncodedTexts candidates = vocabulary.Encode(batch.Select(pair => pair.Candidate)),
            references = vocabulary.Encode(batch.SelectMany(pair => pair.References));
        int[] groups = [0, .. Running(batch.Select(pair => pair.References.Count))];
        var statistics = new BleuStatistics[batch.Count];
        scorer.Statistics(candidates.Batch, BleuReferences.Grouped(references.Batch, groups), statistics);
        BleuStatistics sum = default;
        foreach (BleuStatistics sentence in statistics)
        {
            output.WriteLine(sentence.Score(new() { Smoothing = BleuSmoothing.Exponential, EffectiveOrder = true, Percent = true })
                .ToString("F4", CultureInfo.InvariantCulture));
            sum += sentence;
        }
        return sum;
    }

    private static IEnumerable<int> Running(IEnumerable<int> counts)
    {
        int sum = 0;
        foreach (int count in counts)
            yield return sum += count;
    }

    private static List<Pair> ReadBatch(TextReader input, string name, ref int line, CancellationToken interrupted)
    {
        var batch = new List<Pair>(BatchSize);
        while (batch.Count < BatchSize && input.ReadLine() is { } text)
        {
            interrupted.ThrowIfCancellationRequested();
            // Standard input keeps a byte order mark, which files lose on the way.
            if (line++ == 0)
                text = text.TrimStart(ByteOrderMark);
            if (!string.IsNullOrWhiteSpace(text))
                batch.Add(Parse(text, name, line));
        }
        return batch;
    }

    private static Pair Parse(string text, string name, int line)
    {
        try
        {
            JsonElement json = JsonElement.Parse(text);
            if (json.TryGetProperty("candidate", out JsonElement candidate) && json.TryGetProperty("references", out JsonElement references))
                return new Pair(candidate.GetString() ?? throw new InvalidOperationException("the candidate is null"),
                    [.. references.EnumerateArray().Select(reference => reference.GetString() ?? throw new InvalidOperationException("a reference is null"))]);
            throw new InvalidOperationException("\"candidate\" and \"references\" are needed");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{name}: line {line}: {malformed.Message}", malformed);
        }
    }
}
