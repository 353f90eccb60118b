using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>Byte-pair encodings: the order of merges, the splits before them, added tokens, bytes that are no text, and time on long lines.</summary>
public sealed class TinyLlamaTokenizerTests
{
    private const int Size = 300, Begin = 299, End = 298;

    private static readonly SpecialTokens s_special = new(Begin, [End]);

    private static BytePairTokenizer Open(JsonObject json, int size = Size)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), json.ToJsonString());
        return TokenizerJson.Open(folder.File("tokenizer.json"), size, s_special);
    }

    private static byte[] Decode(ITokenizer tokenizer, int[] tokens)
    {
        var bytes = new List<byte>();
        for (int i = tokenizer.Before.Length; i < tokens.Length; i++)
            bytes.AddRange(tokenizer.Decode(i > 0 ? tokens[i - 1] : null, tokens[i]));
        return [.. bytes];
    }

    private static void AssertTokens(ITokenizer tokenizer, string text, params int[] expected) =>
        Assert.Equal([.. tokenizer.Before, .. expected], tokenizer.Encode(text));

    // Llama 2's form: unknown, begin, end, the bytes, characters and their merges.
    private static JsonObject Characters()
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        for (int value = 0; value <= byte.MaxValue; value++)
            vocabulary[$"<0x{value:X2}>"] = vocabulary.Count;
        foreach (string text in (string[])["▁", "h", "e", "l", "o", "é", "🙂", "ll", "he", "▁he", "llo", "▁hello"])
            vocabulary[text] = vocabulary.Count;
        return TokenizerFixtures.Llama2(vocabulary, ["l l", "h e", "▁ he", "ll o", "▁he llo"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheOrderOfMergesDecides(bool asPairs)
    {
        AssertTokens(Open(TokenizerFixtures.ByteLevel(asPairs, ("b", "c"), ("a", "b"))), "abc", 'a', 256);
        AssertTokens(Open(TokenizerFixtures.ByteLevel(asPairs, ("a", "b"), ("b", "c"))), "abc", 256, 'c');
        // Of equal ranks the leftmost, again and again.
        BytePairTokenizer doubling = Open(TokenizerFixtures.ByteLevel(asPairs, ("a", "a"), ("aa", "aa")));
        AssertTokens(doubling, "aaa", 256, 'a');
        AssertTokens(doubling, "aaaaaaa", 257, 256, 'a');
        // The vocabulary of the tests of Hugging Face's tokenizers (models/bpe/model.rs, test_tokenize_with_and_without_dropout).
        BytePairTokenizer unrelated = Open(TokenizerFixtures.ByteLevel(
            asPairs, ("r", "e"), ("a", "t"), ("e", "d"), ("u", "n"), ("at", "ed"), ("re", "l"), ("rel", "ated"), ("un", "related")));
        AssertTokens(unrelated, "unrelated", 263);
        AssertTokens(unrelated, "unrelate", 259, 261, 257, 'e');
    }

    [Fact]
    public void WholePiecesAreTakenWhereTheFileSaysSo()
    {
        JsonObject json = TokenizerFixtures.ByteLevel(false, ("b", "c"), ("a", "b"), ("ab", "c"));
        AssertTokens(Open(json), "abc", 'a', 256);
        json["model"]!["ignore_merges"] = true;
        AssertTokens(Open(json), "abc", 258);
    }

    [Fact]
    public void AddedTokensAreCutOutTheLongestFirst()
    {
        JsonObject json = TokenizerFixtures.ByteLevel(false, ("h", "i"));
        json["added_tokens"] = new JsonArray(TokenizerFixtures.Added(257, "<|begin|>"), TokenizerFixtures.Added(258, "<|a|>"),
            TokenizerFixtures.Added(259, "<|a|><|b|>"), TokenizerFixtures.Added(260, "é?"));
        BytePairTokenizer tokenizer = Open(json);
        AssertTokens(tokenizer, "hi<|a|>hi<|a|><|b|><|begin|>é?<|a", 256, 258, 256, 259, 257, 260, '<', '|', 'a');
        Assert.Equal("<|a|><|b|>", Encoding.UTF8.GetString(Decode(tokenizer, [259])));
        Assert.True(tokenizer.Ends(End) && !tokenizer.Ends(258));
        Assert.True(tokenizer.Decode(Begin, 280).IsEmpty);
    }

    [Fact]
    public void CharactersFallBackToBytes()
    {
        BytePairTokenizer tokenizer = Open(Characters());
        JsonObject vocabulary = Characters()["model"]!["vocab"]!.AsObject();
        int[] Tokens(params string[] texts) => [.. texts.Select(text => (int)vocabulary[text]!)];
        AssertTokens(tokenizer, "hello", Tokens("▁hello"));
        AssertTokens(tokenizer, " hello", Tokens("▁", "▁hello"));
        AssertTokens(tokenizer, "éΩ🙂", Tokens("▁", "é", "<0xCE>", "<0xA9>", "🙂"));
        Assert.Empty(Open(Characters()).Encode(""));
        // The beginning, or the token before it, hides the space that was put before the text.
        Assert.Equal("hello", Encoding.UTF8.GetString(Decode(tokenizer, Tokens("▁hello"))));
        JsonObject begins = Characters();
        begins["post_processor"] = TokenizerFixtures.Template(["<s>"], [], ("<s>", 1));
        Assert.Equal("hello", Encoding.UTF8.GetString(Decode(Open(begins), [1, .. Tokens("▁hello")])));
        Assert.Equal("h hello", Encoding.UTF8.GetString(Decode(tokenizer, Tokens("h", "▁hello"))));
    }

    [Fact]
    public void MetaspaceIsTheSameInTheNewerForm()
    {
        JsonObject older = Characters(), newer = Characters();
        newer["normalizer"] = null;
        newer["pre_tokenizer"] = JsonNode.Parse("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}""");
        newer["decoder"] = JsonNode.Parse(
            """{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}]}""");
        foreach (string text in (string[])["hello", "hello  hello oé", "🙂 hello "])
        {
            Assert.Equal(Open(older).Encode(text), Open(newer).Encode(text));
            Assert.Equal(text, Encoding.UTF8.GetString(Decode(Open(newer), Open(newer).Encode(text))));
        }
        newer["added_tokens"] = new JsonArray(TokenizerFixtures.Added(271, "<x>"));
        Assert.Equal(Open(older).Encode("o")[1..], Open(newer).Encode("<x>o")[1..]);
    }

    [Fact]
    public void PatternsCutAsTheirModelsDo()
    {
        const string llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        AssertPieces([Split.Gpt2], "Hello  world's 123 don't!? \n x", "Hello", " ", " world", "'s", " 123", " don", "'t", "!?", " \n", " x");
        AssertPieces([new Split(Split.Compile(llama3))], "I'm 12345 YEARS'LL\n\n  old!\n", "I", "'m", " ", "123", "45", " YEARS", "'LL", "\n\n", " ", " old",
            "!\n");
        AssertPieces([new Split(Split.Compile(@"\p{N}")), Split.Gpt2], "a 12b", "a", " ", "1", "2", "b");
        AssertPieces([new Split(Split.Compile(@"\s+"), keepsMatches: false)], " a  b ", "a", "b");
        AssertPieces([new Split(Split.Compile(@"\w+"), keepsGaps: false)], " a, b", "a", "b");
        // Letters beyond 16 bits are letters, emoji are not, and both are one character.
        AssertPieces([Split.Gpt2], "a𝒜b 𠀋漢🙂🙃!", "a𝒜b", " 𠀋漢", "🙂🙃!");
    }

    private static void AssertPieces(Split[] splits, string text, params string[] expected)
    {
        var rules = new TextRules();
        rules.Splits.AddRange(splits);
        string bytes = ByteText.Of(text), likeness = ByteText.CodePoints(bytes, out int[] starts);
        Assert.Equal(text.EnumerateRunes().Count(), likeness.Length);
        Assert.Equal(expected, rules.Cut(likeness)
            .Select(piece => Encoding.UTF8.GetString(ByteText.Bytes(bytes.AsSpan(starts[piece.Start.Value]..starts[piece.End.Value])))));
    }

    [Fact]
    public void AllBytesComeBack()
    {
        BytePairTokenizer[] tokenizers = [Open(TokenizerFixtures.ByteLevel(false, ("a", "b"), ("Ġ", "t"), ("Ã", "©"))), Open(Characters())];
        var random = new Random(20260102);
        string[] samples = ["", " ", "\n\n", "  hello  hello\t", "naïve café", "👩‍👩‍👧‍👦🙂 e\u0301", "漢字\u3000かな", "\0\u0001\u007f", "\ud800 alone",
            "a\ufeffb"];
        IEnumerable<byte[]> texts = samples.Select(Encoding.UTF8.GetBytes)
            .Concat([[0xff], [0xe2, 0x82], [0xc0, 0x80, (byte)'h'], [0xf0, 0x9f, 0x99, (byte)' ', 0x80]]);
        foreach (byte[] text in texts.Concat(Enumerable.Range(0, 200).Select(i => RandomBytes(random, i))))
        {
            foreach (BytePairTokenizer tokenizer in tokenizers)
                Assert.Equal(text, Decode(tokenizer, tokenizer.Encode(text)));
        }
    }

    // Bytes of UTF-8, half of them out of their order.
    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)(random.Next(2) == 0 ? random.Next(256) : "hello ab\u0080\u00e9\u00f0"[random.Next(11)]);
        return bytes;
    }

    [Fact]
    public void ALongLineTakesNoLongerThanItsLength()
    {
        const int length = 1 << 20;
        (string, string)[] doubling = [.. Enumerable.Range(0, 6).Select(i => (new string('a', 1 << i), new string('a', 1 << i)))];
        using var folder = new TemporaryFolder();
        (ITokenizer Tokenizer, string Line)[] cases =
        [
            (Open(TokenizerFixtures.ByteLevel(false, doubling)), new('a', length)),
            (Open(TokenizerFixtures.ByteLevel(false, doubling)), new(' ', length)),
            (Open(Characters()), string.Concat(Enumerable.Repeat("hello", length / 5))),
            (new Llama2Tokenizer(Llama2File(folder.File("tokenizer.bin")), vocabularySize: 265), new('a', length)),
        ];
        var watch = Stopwatch.StartNew();
        foreach ((ITokenizer tokenizer, string line) in cases)
            Assert.True(Encoding.UTF8.GetBytes(line).AsSpan().SequenceEqual(Decode(tokenizer, tokenizer.Encode(line))));
        // A pass over the line for each of its merges would take 10^12 steps: hours, not seconds.
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2), $"{watch.Elapsed}");
    }

    [Fact]
    public void Llama2csMergesGoByScore()
    {
        using var folder = new TemporaryFolder();
        var tokenizer = new Llama2Tokenizer(Llama2File(folder.File("tokenizer.bin")), vocabularySize: 265);
        // Space, a, b, aa, ab, " a": ab is better than aa, and aa than " a".
        AssertTokens(tokenizer, "aaab", 259, 262, 263);
        AssertTokens(tokenizer, "aé", 264, 3 + 0xc3, 3 + 0xa9);
        string bytes = "ab é🙂";
        Assert.Equal(bytes, Encoding.UTF8.GetString(Decode(tokenizer, tokenizer.Encode(bytes))));
        Assert.Throws<InvalidDataException>(() => new Llama2Tokenizer(folder.File("tokenizer.bin"), vocabularySize: 266));
        Assert.Throws<InvalidDataException>(() => new Llama2Tokenizer(folder.File("tokenizer.bin"), vocabularySize: 100));
    }

    private static string Llama2File(string path)
    {
        (string Text, float Score)[] tokens =
        [
            ("<unk>", 0), ("\n<s>\n", 0), ("\n</s>\n", 0), .. Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", 0f)), (" ", 0), ("a", 0), ("b", 0),
                ("aa", 2), ("ab", 3), (" a", 1),
        ];
        using var writer = new BinaryWriter(File.Create(path));
        writer.Write(6);
        foreach ((string text, float score) in tokens)
        {
            writer.Write(score);
            writer.Write(text.Length);
            writer.Write(Encoding.Latin1.GetBytes(text));
        }
        return path;
    }

    [Fact]
    public void VocabularyAndMergesAreGpt2sPair()
    {
        using var folder = new TemporaryFolder();
        JsonObject json = TokenizerFixtures.ByteLevel(false, ("h", "e"), ("Ġ", "he"));
        JsonObject vocabulary = json["model"]!["vocab"]!.AsObject();
        vocabulary["<|endoftext|>"] = Begin;
        File.WriteAllText(folder.File("vocab.json"), vocabulary.ToJsonString());
        File.WriteAllText(folder.File("merges.txt"), "#version: 0.2\nh e\nĠ he\n");
        AssertTokens(VocabularyFiles.Open(folder.Path, Size, s_special), "he he<|endoftext|>", 256, 257, Begin);
        File.AppendAllText(folder.File("merges.txt"), "h e l\n");
        Assert.Contains("merges.txt, line 4", Assert.Throws<InvalidDataException>(() => VocabularyFiles.Open(folder.Path, Size, s_special)).Message,
            StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Gpt2sTokensAreThoseOfItsRuns()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Find("text/gpt2-bpe/vocab.json"), folder.File("vocab.json"));
        // This vocabulary lacks the last merge's token, "gazed".
        File.WriteAllLines(folder.File("merges.txt"), File.ReadLines(SharedData.Find("text/gpt2-bpe/merges.txt")).Where(merge => merge != "Ġg azed"));
        BytePairTokenizer tokenizer = VocabularyFiles.Open(folder.Path, vocabularySize: 50257, new SpecialTokens(50255, [50255]));
        AssertTokens(tokenizer, "Hello world", 15496, 995);
        foreach (string run in (string[])["attention/gpt2-small_ex0.json", "attention/gpt2-small_ex1.json"])
        {
            using JsonDocument recorded = JsonDocument.Parse(File.ReadAllBytes(SharedData.Find(run)));
            int[] expected = [.. recorded.RootElement.GetProperty("tokenIds").EnumerateArray().Select(token => token.GetInt32())];
            AssertTokens(tokenizer, recorded.RootElement.GetProperty("prompt").GetString()!, expected);
        }
        byte[] text = File.ReadAllBytes(SharedData.Find("text/canterbury/alice29.txt"));
        Assert.Equal(text, Decode(tokenizer, tokenizer.Encode(text)));
    }

    [SkippableFact]
    public void TheTwoFormsOfALlama2TokenizerAgree()
    {
        string path = SharedData.Find("models/stories260K/tok512.bin");
        const int size = 512;
        var scored = new Llama2Tokenizer(path, size);
        BytePairTokenizer merged = Open(TokenizerFixtures.FromLlama2(path), size);
        foreach (string line in File.ReadLines(SharedData.Find("text/canterbury/alice29.txt")).Append("Once upon a time, née 🙂  two  spaces "))
            Assert.Equal(scored.Encode(line), merged.Encode(line));
    }

    [SkippableFact]
    public void Llama3sTokensAreKnown()
    {
        const int size = 128_256;
        BytePairTokenizer tokenizer = TokenizerJson.Open(SharedData.Find("text/llama3-bpe/tokenizer.json"), size, new SpecialTokens(128_000, [128_001]));
        // The vectors of llama3-tokenizer-js (test/node-test.js) and of Hugging Face's tokenizers in JavaScript.
        AssertTokens(tokenizer, "grabbed by police", 59312, 2788, 555, 4379);
        AssertTokens(tokenizer, "Hello world!", 9906, 1917, 0);
        AssertTokens(tokenizer, "I'm 12345 years\n\n  old", 40, 2846, 220, 4513, 1774, 1667, 271, 220, 2362);
        AssertTokens(tokenizer, "  multiple   spaces\t\ttabs \n \n x", 220, 5361, 256, 12908, 197, 3324, 3518, 33006, 865);
        AssertTokens(tokenizer, "<|begin_of_text|>hi<|eot_id|>", 128_000, 6151, 128_009);
        AssertTokens(tokenizer, "👦 𝒜𝒷c 漢字かな", 9468, 239, 99, 82350, 240, 250, 57352, 240, 115, 66, 110385, 95, 19113, 107188);
    }
}
