namespace Kernels.Tests;

/// <summary>Text to ids, and scores of text, as sacreBLEU has them.</summary>
public sealed class TensorBleuTextTests
{
    // From sacreBLEU's unit tests, which record three digits behind the point.
    private const string Candidate = "Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;";
    private const string Reference = "producţia de zahăr brut se exprimă în zahăr alb;";

    [Theory]
    [InlineData(BleuTokenizer.Mteval13a, false, BleuSmoothing.Exponential, null, 8.493)]
    [InlineData(BleuTokenizer.Mteval13a, false, BleuSmoothing.None, null, 0.0)]
    [InlineData(BleuTokenizer.Mteval13a, false, BleuSmoothing.Floor, null, 4.51688)]
    [InlineData(BleuTokenizer.Mteval13a, false, BleuSmoothing.Floor, 0.5, 10.1)]
    [InlineData(BleuTokenizer.Mteval13a, false, BleuSmoothing.AddK, null, 14.882)]
    [InlineData(BleuTokenizer.Mteval13a, false, BleuSmoothing.AddK, 2.0, 21.389)]
    [InlineData(BleuTokenizer.None, false, BleuSmoothing.Exponential, null, 7.347)]
    [InlineData(BleuTokenizer.International, false, BleuSmoothing.Exponential, null, 8.493)]
    [InlineData(BleuTokenizer.Character, false, BleuSmoothing.Exponential, null, 40.8759)]
    [InlineData(BleuTokenizer.Character, true, BleuSmoothing.Exponential, null, 42.0267)]
    public void SentencesScoreAsInSacreBleu(BleuTokenizer tokenizer, bool lowercase, BleuSmoothing smoothing, double? value, double expected)
    {
        var vocabulary = new BleuVocabulary();
        BleuStatistics statistics = TensorBleu.Accumulate(vocabulary.Encode([Candidate], tokenizer, lowercase).Batch,
            vocabulary.Encode([Reference], tokenizer, lowercase).Batch);
        Assert.Equal(expected, statistics.Score(new() { Smoothing = smoothing, SmoothingValue = value, EffectiveOrder = true, Percent = true }), 1e-3);
    }

    [Theory]
    // Sigma at a word's end, before a period, alone, within a word.
    [InlineData("\u039F\u0394\u039F\u03A3 \u0391\u03A3. \u03A3 \u0391\u03A3\u0391", "\u03BF\u03B4\u03BF\u03C2 \u03B1\u03C2. \u03C3 \u03B1\u03C3\u03B1")]
    // Marks and apostrophes are passed over, digits are not cased.
    [InlineData("\u0391\u03A3\u0301\u2019\u0391 \u0391'\u03A3 1\u03A3", "\u03B1\u03C3\u0301\u2019\u03B1 \u03B1'\u03C2 1\u03C3")]
    [InlineData("\u0130I \u0130", "i\u0307i i\u0307")] // a capital i with a dot
    [InlineData("\U00010400 \u1E9E \u01C5", "\U00010428 \u00DF \u01C6")] // beyond 16 bits, sharp s, a title-case letter
    public void LowerCaseIsPythons(string text, string lower)
    {
        var vocabulary = new BleuVocabulary();
        List<int> ids = [], expected = [];
        vocabulary.Encode(text, ids, BleuTokenizer.None, lowercase: true);
        vocabulary.Encode(lower, expected, BleuTokenizer.None);
        Assert.Equal(expected, ids);
    }

    [Theory]
    [InlineData(BleuTokenizer.Mteval13a, "word-\n", "word-")]
    [InlineData(BleuTokenizer.Mteval13a, "a- \r\n\u001C", "a-")]
    [InlineData(BleuTokenizer.None, " a,b\t(c)  d ", "a,b (c) d")]
    [InlineData(BleuTokenizer.None, "a\u001Cb\u001D\u001Ec\u001F", "a b c")]
    [InlineData(BleuTokenizer.None, "\u001Fa\u0085b\u00A0c\u2028d\u3000e\u200Bf\u180Eg\u001Bh", "a b c d e\u200Bf\u180Eg\u001Bh")]
    [InlineData(BleuTokenizer.Mteval13a, "a\u001Fb c.\u001C", "a b c .")]
    [InlineData(BleuTokenizer.International, "a\u001Db", "a b")]
    [InlineData(BleuTokenizer.Mteval13a, "Hello, world.", "Hello , world .")]
    [InlineData(BleuTokenizer.Mteval13a, "1,000.5 of 10-20", "1,000.5 of 10 - 20")]
    [InlineData(BleuTokenizer.Mteval13a, "it's well-known (a/b)", "it's well-known ( a / b )")]
    [InlineData(BleuTokenizer.Mteval13a, "&quot;x&quot; &amp; &lt;y&gt;<skipped>", "\" x \" & < y >")]
    [InlineData(BleuTokenizer.International, "Préfixe: «1,5 €», n° 2", "Préfixe : « 1,5 € » , n ° 2")]
    [InlineData(BleuTokenizer.Character, "a \U0001F600é", "a \U0001F600 é")]
    public void TokensStandApart(BleuTokenizer tokenizer, string text, string apart)
    {
        var vocabulary = new BleuVocabulary();
        Assert.Equal(vocabulary.Encode([apart], BleuTokenizer.None).Ids, vocabulary.Encode([text], tokenizer).Ids);
    }

    [Fact]
    public void AVocabularyNumbersTokensByFirstAppearance()
    {
        var vocabulary = new BleuVocabulary();
        EncodedTexts first = vocabulary.Encode(["b a b", "", "c"], BleuTokenizer.None), second = vocabulary.Encode(["c d"], BleuTokenizer.None);
        Assert.Equal([0, 1, 0, 2], first.Ids);
        Assert.Equal([0, 3, 3, 4], first.Offsets);
        Assert.Equal([2, 3], second.Ids);
        Assert.Equal(4, vocabulary.Count);
    }
}
