using System.Text.Json.Nodes;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>
/// Tokens as Hugging Face's tokenizers 0.22 give them (Tokenizers.DotNet 1.4.1): what stands around a text, added tokens and their neighbours, normalisers,
/// patterns; or a refusal by name.
/// </summary>
public sealed class LlamaTokenTests : IDisposable
{
    private const int Begin = 256, End = 257, Size = 300;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private BytePairTokenizer Open(JsonObject json)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), json.ToJsonString());
        return TokenizerJson.Open(_folder.File("tokenizer.json"), Size, new SpecialTokens(Begin, [End]));
    }

    private static JsonObject Bytes(params JsonNode[] added)
    {
        JsonObject json = TokenizerFixtures.ByteLevel(false);
        json["added_tokens"] = new JsonArray(added.Length > 0 ? added : [TokenizerFixtures.Added(Begin, "<|begin|>"), TokenizerFixtures.Added(End, "<|end|>")]);
        return json;
    }

    // 0 to 2 special, the bytes, "▁" 259, "a", "▁a", "<", "/", "s", ">".
    private static JsonObject Characters(bool isNormalized)
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        for (int value = 0; value <= byte.MaxValue; value++)
            vocabulary[$"<0x{value:X2}>"] = vocabulary.Count;
        foreach (string text in (string[])["▁", "a", "▁a", "<", "/", "s", ">"])
            vocabulary[text] = vocabulary.Count;
        JsonObject json = TokenizerFixtures.Llama2(vocabulary, ["▁ a"]);
        json["added_tokens"] = new JsonArray(
            [.. ((string[])["<unk>", "<s>", "</s>"]).Select((text, token) => With(TokenizerFixtures.Added(token, text), "normalized", isNormalized))]);
        return json;
    }

    private static JsonObject With(JsonObject added, string property, bool value)
    {
        added[property] = value;
        return added;
    }

    [Theory]
    [InlineData("null", "hi", new[] { 104, 105 })]
    [InlineData("null", "", new int[0])]
    [InlineData("null", "hi<|end|>x", new[] { 104, 105, 257, 120 })]
    [InlineData("""{"type":"ByteLevel","trim_offsets":false}""", "hi", new[] { 104, 105 })]
    [InlineData("begin", "hi", new[] { 256, 104, 105 })]
    [InlineData("begin", "", new[] { 256 })]
    [InlineData("begin end", "hi", new[] { 256, 104, 105, 257 })]
    [InlineData("begin end", "", new[] { 256, 257 })]
    [InlineData("begin begin", "hi", new[] { 256, 256, 104, 105 })]
    [InlineData("sequence", "hi", new[] { 256, 104, 105 })]
    public void ThePostProcessorDecidesWhatStandsAroundAText(string processor, string text, int[] expected)
    {
        JsonObject json = Bytes();
        json["post_processor"] = processor switch
        {
            "begin" => Template(["<|begin|>"], []),
            "begin end" => Template(["<|begin|>"], ["<|end|>"]),
            "begin begin" => Template(["<|begin|>", "<|begin|>"], []),
            "sequence" => new JsonObject
            {
                ["type"] = "Sequence",
                ["processors"] = new JsonArray(new JsonObject { ["type"] = "ByteLevel" }, Template(["<|begin|>"], []))
            },
            _ => JsonNode.Parse(processor),
        };
        Assert.Equal(expected, Open(json).Encode(text));
    }

    private static JsonObject Template(string[] before, string[] after) => TokenizerFixtures.Template(before, after, ("<|begin|>", Begin), ("<|end|>", End));

    [Theory]
    [InlineData("add_bos_token", true, false)]
    [InlineData("add_bos_token", false, true)]
    [InlineData("add_eos_token", true, true)]
    public void ATokenizerConfigThatContradictsThePostProcessorIsRefused(string property, bool said, bool begins)
    {
        JsonObject json = Bytes();
        json["post_processor"] = begins ? Template(["<|begin|>"], []) : null;
        Open(json);
        File.WriteAllText(_folder.File("tokenizer_config.json"), new JsonObject { [property] = said }.ToJsonString());
        Assert.Contains($"tokenizer_config.json: {property} is {(said ? "true" : "false")}", Assert.Throws<InvalidDataException>(() => Open(json)).Message,
            StringComparison.Ordinal);
        File.WriteAllText(_folder.File("tokenizer_config.json"), new JsonObject { [property] = !said }.ToJsonString());
        Open(json);
    }

    [Theory]
    [InlineData(3, "hi", true)]
    [InlineData(2, "hi", true)]
    [InlineData(2, "hii", false)]
    public void TextsThatTheFileWouldCutAreRefused(int most, string text, bool fits)
    {
        JsonObject json = Bytes();
        json["truncation"] = new JsonObject { ["direction"] = "Right", ["max_length"] = most, ["strategy"] = "LongestFirst", ["stride"] = 0 };
        json["padding"] = new JsonObject { ["strategy"] = "BatchLongest", ["pad_id"] = End };
        BytePairTokenizer tokenizer = Open(json);
        if (fits)
            Assert.Equal(text.Length, tokenizer.Encode(text).Length);
        else
            Assert.Contains("truncation", Assert.Throws<InvalidDataException>(() => tokenizer.Encode(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lstrip", "a  <x>  b", new[] { 97, 256, 32, 32, 98 })]
    [InlineData("lstrip", "a <x> <x> b", new[] { 97, 256, 256, 32, 98 })]
    [InlineData("lstrip", "\u00a0<x>\u3000b", new[] { 256, 227, 128, 128, 98 })]
    [InlineData("rstrip", "a  <x>  b", new[] { 97, 32, 32, 256, 98 })]
    [InlineData("rstrip", "a\n<x>\tb", new[] { 97, 10, 256, 98 })]
    [InlineData("rstrip", "a <x> <x> b", new[] { 97, 32, 256, 256, 98 })]
    [InlineData("single_word", "a<x>b", new[] { 97, 60, 120, 62, 98 })]
    [InlineData("single_word", "a<x><x> b", new[] { 97, 60, 120, 62, 256, 32, 98 })]
    [InlineData("single_word", "é<x>", new[] { 195, 169, 60, 120, 62 })]
    [InlineData("single_word", "e\u0301<x>", new[] { 101, 204, 129, 60, 120, 62 })]
    [InlineData("single_word", "\u24d0<x>", new[] { 226, 147, 144, 60, 120, 62 })]
    [InlineData("single_word", "²<x>", new[] { 194, 178, 256 })]
    [InlineData("single_word", "\u2167<x>", new[] { 226, 133, 167, 60, 120, 62 })]
    [InlineData("single_word", "\u200d<x>", new[] { 226, 128, 141, 60, 120, 62 })]
    [InlineData("single_word", "_<x>", new[] { 95, 60, 120, 62 })]
    [InlineData("single_word", "!<x>!", new[] { 33, 256, 33 })]
    public void AddedTokensLookAtTheirNeighbours(string property, string text, int[] expected) =>
        Assert.Equal(expected, Open(Bytes(With(TokenizerFixtures.Added(256, "<x>"), property, true))).Encode(text));

    [Theory]
    [InlineData("abcd", new[] { 257, 100 })]
    [InlineData("abd", new[] { 256, 100 })]
    [InlineData("xbcd", new[] { 120, 258 })]
    public void TheLeftmostAddedTokenAndOfThoseTheLongestIsTaken(string text, int[] expected) =>
        Assert.Equal(expected, Open(Bytes(TokenizerFixtures.Added(256, "ab"), TokenizerFixtures.Added(257, "abc"), TokenizerFixtures.Added(258, "bcd")))
        .Encode(text));

    [Theory]
    [InlineData("a</s><s>a", new[] { 261, 262, 263, 264, 265, 262, 264, 265, 260 }, new[] { 261, 2, 1, 261 })]
    [InlineData("a </s>a", new[] { 261, 2, 260 }, new[] { 261, 259, 2, 261 })]
    [InlineData("</s>", new[] { 2 }, new[] { 2 })]
    [InlineData("</s> a", new[] { 2, 261 }, new[] { 2, 259, 261 })]
    [InlineData(" </s>", new[] { 259, 2 }, new[] { 259, 259, 2 })]
    [InlineData("a </s> </s>a", new[] { 261, 2, 2, 260 }, new[] { 261, 259, 2, 259, 259, 2, 261 })]
    [InlineData("é", new[] { 259, 198, 172 }, new[] { 259, 198, 172 })]
    [InlineData("", new int[0], new int[0])]
    public void NormalisedAddedTokensAreFoundInTheNormalisedText(string text, int[] normalized, int[] plain)
    {
        Assert.Equal(normalized, Open(Characters(isNormalized: true)).Encode(text));
        Assert.Equal(plain, Open(Characters(isNormalized: false)).Encode(text));
    }

    [Theory]
    [InlineData("a sa", new[] { 261, 266 })]
    [InlineData("sa</s>sa", new[] { 266, 2, 266 })]
    [InlineData("asa", new[] { 261, 264, 260 })]
    public void BothKindsOfAddedTokensMayStandTogether(string text, int[] expected)
    {
        JsonObject json = Characters(isNormalized: false);
        json["added_tokens"]!.AsArray().Add((JsonNode)With(TokenizerFixtures.Added(266, "sa"), "normalized", true));
        Assert.Equal(expected, Open(json).Encode(text));
    }

    [Theory]
    [InlineData("a</s>a", new[] { 261, 2, 260 })]
    [InlineData("a </s> </s>a", new[] { 261, 259, 2, 259, 2, 260 })]
    public void MetaspaceDoesNotNormalise(string text, int[] expected)
    {
        foreach (bool isNormalized in (bool[])[false, true])
        {
            JsonObject json = Characters(isNormalized);
            json["normalizer"] = null;
            json["pre_tokenizer"] = JsonNode.Parse("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}""");
            Assert.Equal(expected, Open(json).Encode(text));
        }
    }

    [Theory]
    [InlineData(300, "[PAD]", "not within the vocabulary")]
    [InlineData(290, "<x>", "count it as 258")]
    [InlineData(5, "a", "count it as 97")]
    public void AddedTokensThatNoModelOrTokenizerKnowsAreRefusedWhenTheyOccur(int token, string text, string reason)
    {
        BytePairTokenizer tokenizer = Open(Bytes(TokenizerFixtures.Added(Begin, "<|begin|>"), TokenizerFixtures.Added(End, "<|end|>"),
            TokenizerFixtures.Added(token, text)));
        Assert.Equal([98, 99, 257], tokenizer.Encode("bc<|end|>"));
        string message = Assert.Throws<InvalidDataException>(() => tokenizer.Encode($"bc{text}")).Message;
        Assert.All((string[])["tokenizer.json", text, reason], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(""" ?[^(\s|[.,!?…。，、।۔،])]+""", "hi(there, you) 漢。字", new[] { "hi", "(", "there", ",", " you", ")", " 漢", "。", "字" })]
    [InlineData("""[^\r\n\p{L}\p{N}]?+\p{L}++|\s+""", "a b!c  d", new[] { "a", " b", "!c", "  ", "d" })]
    [InlineData("""\h+|\x{7a}\x7A""", "x1fg zz", new[] { "x", "1f", "g ", "zz" })]
    [InlineData("^a$", "a\na\nab", new[] { "a", "\n", "a", "\nab" })]
    [InlineData("[a-c[x-z]-]+", "a-zq", new[] { "a-z", "q" })]
    public void OnigurumasPatternsCutAsItDoes(string pattern, string text, string[] expected)
    {
        var rules = new TextRules { Splits = { new Split(Split.Compile(OnigurumaPattern.Translate(pattern))) } };
        string likeness = ByteText.CodePoints(ByteText.Of(text), out _);
        Assert.Equal(expected, rules.Cut(likeness).Select(piece => likeness[piece]));
    }

    [Theory]
    [InlineData("[a-z𐐀-𐑏]+")]
    [InlineData(@"\p{Han}+")]
    [InlineData("[[:alpha:]]+")]
    [InlineData("[a-z&&[^b]]+")]
    [InlineData("[a[^b]]")]
    [InlineData("(?m:.)")]
    [InlineData(@"\X")]
    [InlineData("a{,3}")]
    [InlineData("a**")]
    [InlineData("[\uff00-\uffef]")]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("[a")]
    [InlineData("+")]
    [InlineData("\\")]
    public void PatternsThatWouldMeanSomethingElseAreRefused(string pattern)
    {
        JsonObject json = Bytes();
        json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated" },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
        };
        string message = Assert.Throws<InvalidDataException>(() => Open(json)).Message;
        Assert.Contains("pre_tokenizer.pretokenizers[0].pattern: this Oniguruma pattern is not known", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"eos_token_id":257}""", """{"eos_token_id":[257,258]}""", new[] { 257, 258 })]
    [InlineData("""{"eos_token_id":null}""", """{"eos_token_id":257}""", new[] { 257 })]
    [InlineData("{}", """{"eos_token_id":257}""", new[] { 257 })]
    [InlineData("""{"eos_token_id":[5,6]}""", """{"eos_token_id":[6,7]}""", new[] { 5, 6, 7 })]
    [InlineData("""{"eos_token_id":null}""", "{}", new int[0])]
    [InlineData("{}", null, new[] { 2 })]
    [InlineData("{}", "{}", new[] { 2 })]
    public void ATextEndsWhereEitherFileSaysSo(string config, string? generation, int[] expected)
    {
        File.WriteAllText(_folder.File("config.json"), config);
        if (generation is not null)
            File.WriteAllText(_folder.File("generation_config.json"), generation);
        Assert.Equal(expected, SpecialTokens.Read(_folder.Path, Size).Ends);
    }

    [Fact]
    public void VocabularyFilesBeginTextsWhereTheirConfigSaysSo()
    {
        JsonObject json = TokenizerFixtures.ByteLevel(false);
        JsonObject vocabulary = json["model"]!["vocab"]!.DeepClone().AsObject();
        vocabulary["<|begin|>"] = Begin;
        File.WriteAllText(_folder.File("vocab.json"), vocabulary.ToJsonString());
        File.WriteAllText(_folder.File("merges.txt"), "#version: 0.2\n");
        File.WriteAllText(_folder.File("added_tokens.json"), """{"<x>": 257, "<y>": 300}""");
        int[] Encode(string text) => VocabularyFiles.Open(_folder.Path, Size, new SpecialTokens(Begin, [End])).Encode(text);
        Assert.Equal([97, 257], Encode("a<x>"));
        Assert.Throws<InvalidDataException>(() => Encode("a<y>"));
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"add_bos_token": true, "add_prefix_space": true}""");
        Assert.Equal([Begin, 32, 97], Encode("a"));
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"add_eos_token": true}""");
        Assert.Contains("add_eos_token", Assert.Throws<InvalidDataException>(() => Encode("a")).Message, StringComparison.Ordinal);
    }
}
