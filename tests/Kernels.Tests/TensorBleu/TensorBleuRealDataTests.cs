using System.Globalization;
using System.Text.Json;

namespace Kernels.Tests;

/// <summary>
/// Scores of real systems and of sacreBLEU's own test cases. The data lies beside the project, not in it; without it the tests are skipped by name.
/// </summary>
public sealed class TensorBleuRealDataTests
{
    private const string Cases = "bleu/sacrebleu_unit_cases.json";

    [SkippableTheory]
    [InlineData("newstest2017.uedin-nmt.4722.en-de")]
    [InlineData("newstest2017.online-F.0.en-de")]
    [InlineData("newstest2017.C-3MA.4959.en-de")]
    [InlineData("newstest2017.PROMT-Rule-based.4735.en-de")]
    public void Wmt17SystemsScoreAsByMteval13a(string system)
    {
        double expected = Open("bleu/wmt17-en-de/expected_mteval13a.json").GetProperty(system).GetDouble();
        string[] candidates = Lines($"bleu/wmt17-en-de/{system}.txt"), references = Lines("bleu/wmt17-en-de/reference.txt");
        Assert.Equal(3004, candidates.Length);
        Assert.Equal(expected, Statistics(candidates, [references]).Score(new() { Percent = true }), 0.01);
    }

    [SkippableTheory]
    [InlineData("deen_ref_bpe")]
    [InlineData("deen_ref_spm")]
    public void TensorFlowNmtIsReproduced(string file)
    {
        double expected = Open("bleu/tf-nmt/expected.json").GetProperty("bleu").GetDouble();
        string[] references = [.. Lines($"bleu/tf-nmt/{file}")
            .Select(line => file.EndsWith("bpe", StringComparison.Ordinal) ? WithoutBpe(line) : WithoutSentencePiece(line)).Select(BetweenSpaces)];
        BleuStatistics statistics = Statistics([.. Lines("bleu/tf-nmt/deen_output").Select(BetweenSpaces)], [references], BleuTokenizer.None);
        Assert.Equal(expected, statistics.Score(new() { Smoothing = BleuSmoothing.None, Percent = true }), 1e-9);
    }

    [SkippableFact]
    public void Wmt15SampleScoresAsByMtevalAndMultiBleu()
    {
        BleuStatistics statistics = Statistics(Lines("bleu/nltk-wmt15/google.ru"), [Lines("bleu/nltk-wmt15/ref.ru")], BleuTokenizer.None);
        Assert.Equal((1989, 1852), (statistics.CandidateLength, statistics.ReferenceLength));
        Assert.Equal(23.17, statistics.Score(new() { Percent = true, Smoothing = BleuSmoothing.None }), 0.005);
        double[] cumulative = [.. File.ReadLines(SharedData.Find("bleu/nltk-wmt15/mteval-13a.output"))
            .Last(line => line.StartsWith(" BLEU:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..10].Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        for (int order = 1; order <= BleuOptions.LargestOrder; order++)
        {
            Assert.Equal(cumulative[order - 1], statistics.Score(new() { MaxOrder = order, Smoothing = BleuSmoothing.NltkMethod0 }), 0.005);
            Assert.Equal(cumulative[order - 1], statistics.Score(new() { MaxOrder = order, Smoothing = BleuSmoothing.NltkMethod3 }), 0.005);
        }
    }

    [SkippableFact]
    public void SacreBleuCorporaAreReproduced()
    {
        foreach (JsonElement test in Open(Cases).GetProperty("corpus").EnumerateArray())
        {
            BleuTokenizer tokenizer = test.GetProperty("args").TryGetProperty("tokenize", out JsonElement name) ? Tokenizer(name.GetString()!)
                : BleuTokenizer.Mteval13a;
            Assert.Equal(test.GetProperty("bleu").GetDouble(), StatisticsOf(test, tokenizer).Score(new() { Percent = true }), 1e-6);
        }
        foreach (JsonElement test in Open(Cases).GetProperty("max_ngram_order").EnumerateArray())
        {
            double actual = StatisticsOf(test, BleuTokenizer.Mteval13a).Score(new() { Percent = true, MaxOrder = test.GetProperty("order").GetInt32() });
            Assert.Equal(test.GetProperty("bleu_2dp").GetString(), actual.ToString("0.00", CultureInfo.InvariantCulture));
        }
    }

    [SkippableFact]
    public void SacreBleuRawCorporaAreReproduced()
    {
        // Most are shorter than four tokens: its test scores those with the orders that they have.
        foreach (JsonElement test in Open(Cases).GetProperty("raw_corpus_smooth0.01_over100").EnumerateArray())
        {
            var options = new BleuOptions { Smoothing = BleuSmoothing.Floor, SmoothingValue = 0.01, EffectiveOrder = true };
            Assert.Equal(test.GetProperty("bleu").GetDouble(), StatisticsOf(test, BleuTokenizer.None).Score(options), 1e-8);
        }
    }

    [SkippableFact]
    public void SacreBleuSentencesAreReproduced()
    {
        foreach (JsonElement test in Open(Cases).GetProperty("sentence_effective_order_tol1e-3").EnumerateArray())
        {
            string[][] references = [.. test.GetProperty("refs").EnumerateArray().Select(reference => new[] { reference.GetString()! })];
            BleuStatistics statistics = Statistics([test.GetProperty("hyp").GetString()!], references, Tokenizer(test.GetProperty("tokenize").GetString()!),
                test.GetProperty("lowercase").GetBoolean());
            JsonElement value = test.GetProperty("smooth_value");
            var options = new BleuOptions
            {
                Smoothing = Smoothing(test.GetProperty("smooth_method").GetString()!),
                SmoothingValue = value.ValueKind == JsonValueKind.Null ? null : value.GetDouble(),
                EffectiveOrder = true,
                Percent = true,
            };
            Assert.Equal(test.GetProperty("bleu").GetDouble(), statistics.Score(options), 1e-3);
        }
    }

    private static BleuStatistics StatisticsOf(JsonElement test, BleuTokenizer tokenizer) =>
        Statistics(Strings(test.GetProperty("hyps")), [.. test.GetProperty("refs").EnumerateArray().Select(Strings)], tokenizer);

    // Streams of references: the first of each candidate, the second of each ... A stream that ends early leaves candidates out, as Python's zip does.
    private static BleuStatistics Statistics(string[] candidates, string[][] streams, BleuTokenizer tokenizer = BleuTokenizer.Mteval13a, bool lowercase = false)
    {
        var vocabulary = new BleuVocabulary();
        int count = Math.Min(candidates.Length, streams.Min(stream => stream.Length));
        EncodedTexts encoded = vocabulary.Encode(candidates[..count], tokenizer, lowercase);
        EncodedTexts references = vocabulary.Encode(Enumerable.Range(0, count).SelectMany(i => streams.Select(stream => stream[i])), tokenizer, lowercase);
        return TensorBleu.Accumulate(encoded.Batch, BleuReferences.Uniform(references.Batch, streams.Length), new() { MaxOrder = BleuOptions.LargestOrder });
    }

    private static JsonElement Open(string relative) => JsonDocument.Parse(File.ReadAllText(SharedData.Find(relative))).RootElement;

    private static string[] Lines(string relative) => File.ReadAllText(SharedData.Find(relative)).TrimEnd('\n').Split('\n');

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(text => text.GetString()!)];

    private static string WithoutBpe(string line) => line.Replace("@@ ", "", StringComparison.Ordinal);

    private static string WithoutSentencePiece(string line) => string.Concat(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Replace('\u2581', ' ');

    // That project takes what stands between two spaces for a token even if it is nothing, which three lines of its output have.
    private static string BetweenSpaces(string line) => string.Join(' ', line.Trim().Split(' ').Select(word => word.Length == 0 ? "<nothing>" : word));

    private static BleuTokenizer Tokenizer(string name) => name switch
    {
        "none" => BleuTokenizer.None,
        "13a" => BleuTokenizer.Mteval13a,
        "char" => BleuTokenizer.Character,
        "intl" => BleuTokenizer.International,
        _ => throw new InvalidOperationException(name),
    };

    private static BleuSmoothing Smoothing(string name) => name switch
    {
        "exp" => BleuSmoothing.Exponential,
        "none" => BleuSmoothing.None,
        "floor" => BleuSmoothing.Floor,
        "add-k" => BleuSmoothing.AddK,
        _ => throw new InvalidOperationException(name),
    };
}
