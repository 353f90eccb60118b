using System.Text;
using System.Text.Json.Nodes;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>Damaged folders and tokenizers are refused with a message that names the file and the place, and with nothing else.</summary>
public sealed class TinyLlamaHostileTests
{
    private const string Query = "model.layers.1.self_attn.q_proj", Up = "model.layers.0.mlp.up_proj.weight";

    private static readonly SpecialTokens s_special = new(Begin: 1, [2]);

    private static string Refusal(Action open)
    {
        Exception? refusal = Record.Exception(open);
        Assert.True(refusal is InvalidDataException or TensorFileException, $"{refusal}");
        return refusal.Message;
    }

    private static void Open(LlamaFolder folder)
    {
        using var checkpoint = new HuggingFaceCheckpoint(folder.Path);
        foreach ((string name, _) in checkpoint.Shape.Tensors)
            checkpoint.Read(name);
        SpecialTokens.Read(folder.Path, checkpoint.Shape.VocabularySize);
    }

    [Theory]
    [InlineData("hidden_size", "0", "0")]
    [InlineData("hidden_size", "-32", "-32")]
    [InlineData("hidden_size", "64", "model.embed_tokens.weight")]
    [InlineData("hidden_size", "2147483647", "2147483647")]
    [InlineData("hidden_size", "1e99", "hidden_size")]
    [InlineData("hidden_size", "32.5", "hidden_size")]
    [InlineData("hidden_size", "\"32\"", "hidden_size")]
    [InlineData("hidden_size", "null", "hidden_size")]
    [InlineData("hidden_size", "[32]", "hidden_size")]
    [InlineData("intermediate_size", "49", "mlp.")]
    [InlineData("intermediate_size", "2147483647", "mlp.")]
    [InlineData("num_hidden_layers", "0", "0")]
    [InlineData("num_hidden_layers", "3", "model.layers.2.")]
    [InlineData("num_hidden_layers", "2147483647", "model.layers.2.")]
    [InlineData("num_attention_heads", "3", "3 heads")]
    [InlineData("num_attention_heads", "32", "32 heads")]
    [InlineData("num_key_value_heads", "3", "3 key heads")]
    [InlineData("num_key_value_heads", "4", "k_proj")]
    [InlineData("num_key_value_heads", "-1", "-1")]
    [InlineData("vocab_size", "41", "model.embed_tokens.weight")]
    [InlineData("vocab_size", "2147483647", "model.embed_tokens.weight")]
    [InlineData("max_position_embeddings", "0", "0")]
    [InlineData("max_position_embeddings", "2147483647", "2147483647")]
    [InlineData("head_dim", "16", "head_dim")]
    [InlineData("rms_norm_eps", "-1e-5", "rms_norm_eps")]
    [InlineData("rms_norm_eps", "1e-99999", "rms_norm_eps")]
    [InlineData("rope_theta", "0", "rope_theta")]
    [InlineData("rope_theta", "1e999", "rope_theta")]
    [InlineData("rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4}", "yarn")]
    [InlineData("rope_scaling", "{\"type\":\"linear\",\"factor\":4}", "linear")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":4}", "rope_scaling: there is no low_freq_factor")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":4,\"low_freq_factor\":4,\"high_freq_factor\":4,\"original_max_position_embeddings\":1}",
        "low_freq_factor")]
    [InlineData("rope_scaling", "7", "rope_scaling")]
    [InlineData("tie_word_embeddings", "1", "tie_word_embeddings")]
    [InlineData("attention_bias", "true", "attention_bias")]
    [InlineData("mlp_bias", "true", "mlp_bias")]
    [InlineData("model_type", "\"gpt2\"", "gpt2")]
    [InlineData("hidden_act", "\"gelu\"", "gelu")]
    [InlineData("sliding_window", "16", "sliding_window")]
    [InlineData("bos_token_id", "40", "bos_token_id 40")]
    [InlineData("eos_token_id", "[\"x\"]", "eos_token_id[0]")]
    [InlineData("quantization_config", "{\"quant_method\":\"bitsandbytes\"}", "bitsandbytes")]
    [InlineData("quantization_config", "{\"quant_method\":\"gptq\",\"bits\":3,\"group_size\":16}", "3 bits")]
    [InlineData("quantization_config", "{\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":0}", "group_size")]
    [InlineData("quantization_config", "{\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":16,\"checkpoint_format\":\"marlin\"}", "marlin")]
    [InlineData("quantization_config", "{\"quant_method\":\"awq\",\"bits\":4,\"group_size\":16,\"version\":\"gemv\"}", "gemv")]
    [InlineData("quantization_config", "{\"quant_method\":\"awq\",\"bits\":8,\"group_size\":16}", "8 bits")]
    [InlineData("quantization_config", "{\"bits\":4}", "quantization_config: there is no quant_method")]
    public void ConfigsAreRefusedByName(string property, string value, string named)
    {
        using LlamaFolder folder = LlamaFolder.Random();
        folder.Config[property] = "REPLACED";
        folder.Write();
        File.WriteAllText(folder.File("config.json"), folder.Config.ToJsonString().Replace("\"REPLACED\"", value, StringComparison.Ordinal));
        string message = Refusal(() => Open(folder));
        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> TensorDamage => new()
    {
        { "missing", Up },
        { "transposed", Up },
        { "vector", Up },
        { "type", Up },
        { "norm as a matrix", "model.norm.weight" },
        { "bias", Query + ".bias" },
        { "bias of another length", Query + ".bias" },
        { "qzeros missing", Query + ".qzeros" },
        { "qweight of another layer", Query + ".qweight" },
        { "scales of another type", Query + ".scales" },
        { "scale not finite", Query + ".scales" },
        { "group index out of range", Query + ".g_idx" },
        { "group index of another length", Query + ".g_idx" },
        { "groups that do not divide", Query },
        { "quantised without a config", Query + ".weight" },
    };

    [Theory]
    [MemberData(nameof(TensorDamage))]
    public void TensorsAreRefusedByName(string damage, string named)
    {
        using LlamaFolder folder = LlamaFolder.Random();
        Dictionary<string, (TensorInfo Info, Array Elements)> tensors = folder.Tensors;
        StoredLayer layer = StoredLayer.Random(Query, 32, 32, new(QuantizedType.U4, 16), isScattered: false, seed: 5);
        Dictionary<string, (TensorInfo Info, Array Elements)> parts = layer.Gptq(GptqVersion.V1);
        parts["bias"] = (parts["bias"].Info, new float[32]);
        if (damage != "quantised without a config")
            folder.Config["quantization_config"] =
                new JsonObject { ["quant_method"] = "gptq", ["bits"] = 4, ["group_size"] = damage == "groups that do not divide" ? 24 : 16 };
        switch (damage)
        {
            case "missing": tensors.Remove(Up); break;
            case "transposed": tensors[Up] = (new(Up, TensorType.Float32, 32, 48), tensors[Up].Elements); break;
            case "vector": tensors[Up] = (new(Up, TensorType.Float32, 48 * 32), tensors[Up].Elements); break;
            case "type": tensors[Up] = (new(Up, TensorType.Int32, 48, 32), new int[48 * 32]); break;
            case "norm as a matrix": tensors[named] = (new(named, TensorType.Float32, 1, 32), tensors[named].Elements); break;
            case "bias": parts["bias"] = (parts["bias"].Info, Enumerable.Repeat(1f, 32).ToArray()); break;
            case "bias of another length": parts["bias"] = (new(named, TensorType.Float32, 31), new float[31]); break;
            case "qzeros missing": parts.Remove("qzeros"); break;
            case "qweight of another layer": parts["qweight"] = (new(named, TensorType.Int32, 8, 32), new int[8 * 32]); break;
            case "scales of another type": parts["scales"] = (new(named, TensorType.Int32, 2, 32), new int[64]); break;
            case "scale not finite": ((Half[])parts["scales"].Elements)[3] = Half.NaN; break;
            case "group index out of range": ((int[])parts["g_idx"].Elements)[3] = 2; break;
            case "group index of another length": parts["g_idx"] = (new(named, TensorType.Int32, 16), new int[16]); break;
        }
        folder.Replace(Query + ".weight", parts);
        folder.Write();
        string message = Refusal(() => Open(folder));
        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../model-00001-of-00003.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("sub\\model.safetensors")]
    [InlineData("absent.safetensors")]
    [InlineData("config.json")]
    [InlineData("model-00002-of-00003.safetensors")]
    public void IndexesStayWithinTheirFolder(string file)
    {
        using LlamaFolder folder = LlamaFolder.Random();
        folder.ShardCount = 3;
        folder.Write();
        JsonObject map = JsonNode.Parse(File.ReadAllText(folder.File("model.safetensors.index.json")))!["weight_map"]!.DeepClone().AsObject();
        // The first tensor of the model, which stands in the first shard.
        map[TensorNames.Embedding] = file;
        folder.WriteIndex(map);
        Refusal(() => Open(folder));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors.index.json")]
    public void NestedBeyondReasonIsRefused(string name)
    {
        using LlamaFolder folder = LlamaFolder.Random();
        folder.ShardCount = 2;
        folder.Write();
        File.WriteAllText(folder.File(name), string.Concat(Enumerable.Repeat("{\"a\":", 100_000)));
        Assert.Contains(name, Refusal(() => Open(folder)), StringComparison.Ordinal);
    }

    [Fact]
    public void DamagedFoldersAreReadOrRefused()
    {
        using LlamaFolder folder = LlamaFolder.Random(TensorType.Float16);
        folder.ShardCount = 2;
        folder.Write();
        var random = new Random(20260103);
        string[] files = [.. Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal)];
        int refused = 0;
        for (int round = 0; round < 1000; round++)
        {
            string file = files[round % files.Length];
            byte[] sound = File.ReadAllBytes(file);
            // Heads of safetensors are some thousand bytes; damage to elements is no damage to the file.
            File.WriteAllBytes(file, Damage(sound, Math.Min(sound.Length, 2000), random));
            Exception? refusal = Record.Exception(() => Open(folder));
            Assert.True(refusal is null or InvalidDataException or TensorFileException, $"round {round}, {file}: {refusal}");
            refused += refusal is null ? 0 : 1;
            File.WriteAllBytes(file, sound);
        }
        Assert.InRange(refused, 500, 1000);
        Open(folder);
    }

    private static byte[] Damage(byte[] sound, int head, Random random)
    {
        if (random.Next(4) == 0)
            return sound[..random.Next(sound.Length)];
        byte[] damaged = [.. sound];
        for (int i = random.Next(3); i >= 0; i--)
            damaged[random.Next(head)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"0123456789{}[]\",:"[random.Next(17)];
        return damaged;
    }

    // The property to be set, its JSON, and what the message names.
    public static TheoryData<string, string, string> TokenizerDamage => new()
    {
        { "model.type", "\"Unigram\"", "Unigram" },
        { "model.merges", """["a b","b zz"]""", "'zz'" },
        { "model.merges", """["abc"]""", "model.merges[0]" },
        { "model.merges", """["a b","a b"]""", "twice" },
        { "model.merges", """[["a","b","c"]]""", "model.merges[0]" },
        { "model.merges", "[7]", "model.merges[0]" },
        { "model.merges", "{}", "model.merges" },
        { "model.vocab.c", "300", "token 300 'c'" },
        { "model.vocab.new", "-1", "token -1 'new'" },
        { "model.vocab.new", "5", "token 5 'new'" },
        { "model.vocab.new", "1e9", "model.vocab.new" },
        { "model.vocab.A", "299", "0x42" },
        { "model.vocab.A", "\"B\"", "model.vocab.A" },
        { "model.continuing_subword_prefix", "\"##\"", "continuing_subword_prefix" },
        { "model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix" },
        { "pre_tokenizer", "null", "byte_fallback" },
        { "pre_tokenizer", """{"type":"Whitespace"}""", "Whitespace" },
        { "pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"ByteLevel"}]}""", "pre_tokenizer.pretokenizers[1]" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}""", "pre_tokenizer.pattern" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"a"},"behavior":"MergedWithNext"}""", "MergedWithNext" },
        { "normalizer", """{"type":"NFKC"}""", "NFKC" },
        { "normalizer", """{"type":"Replace","pattern":{"String":""},"content":"x"}""", "normalizer.pattern.String" },
        { "normalizer", """{"type":"Replace","pattern":{"Regex":"a"},"content":"x"}""", "normalizer.pattern" },
        { "decoder", """{"type":"WordPiece"}""", "WordPiece" },
        { "added_tokens", """[{"id":290,"content":""}]""", "added_tokens[0].content" },
        { "added_tokens", """[{"id":290,"content":"<x>","lstrip":1}]""", "added_tokens[0].lstrip" },
        { "padding", """{"strategy":{"Fixed":6}}""", "padding" },
        { "padding", """{"strategy":"BatchLongest","pad_to_multiple_of":8}""", "padding" },
        { "truncation", """{"max_length":"3"}""", "truncation.max_length" },
        { "model.dropout", "0.1", "model.dropout" },
        { "post_processor", """{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",0]}""", "RobertaProcessing" },
        { "post_processor", """{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",0]}""", "BertProcessing" },
        { "post_processor", """{"type":"Sequence","processors":[{"type":"Whatever"}]}""", "Whatever" },
        { "post_processor", """{"type":"TemplateProcessing","single":[],"special_tokens":{}}""", "post_processor.single" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"Sequence":{"id":"A"}}],"special_tokens":{}}""",
            "post_processor.single[1]" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}],"special_tokens":{}}""", "post_processor.single[0]" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{}}""",
            "there is no <s>" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[300]}}}""", "token 300" },
        { "added_tokens", """[{"id":290,"content":"\ud800"}]""", "added_tokens[0].content" },
    };

    [Theory]
    [MemberData(nameof(TokenizerDamage))]
    public void TokenizersAreRefusedByName(string place, string value, string named)
    {
        JsonObject json = TokenizerFixtures.ByteLevel(false, ("a", "b"));
        string[] path = place.Split('.');
        JsonObject target = path[..^1].Aggregate(json, (inner, step) => inner[step]!.AsObject());
        // The letter B moves away from its byte.
        if (path[^1] == "A")
            target.Remove("B");
        // Set in as text, so that escapes that are no characters arrive.
        target[path[^1]] = "REPLACED";
        string message = OpenTokenizer(json.ToJsonString().Replace("\"REPLACED\"", value, StringComparison.Ordinal));
        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json", message, StringComparison.Ordinal);
    }

    private static string OpenTokenizer(string text)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), text);
        return Refusal(() => TokenizerJson.Open(folder.File("tokenizer.json"), 300, s_special));
    }

    [Fact]
    public void TokenizersThatAreNoJsonAreRefused()
    {
        string sound = TokenizerFixtures.ByteLevel(false, ("a", "b")).ToJsonString();
        OpenTokenizer("");
        OpenTokenizer(sound[..^1]);
        OpenTokenizer(string.Concat(Enumerable.Repeat('[', 100_000)));
        OpenTokenizer(sound.Replace("\"A\":", "\"B\":", StringComparison.Ordinal));
    }

    [Fact]
    public void DamagedTokenizersAreReadOrRefused()
    {
        JsonObject json = TokenizerFixtures.ByteLevel(false, ("a", "b"), ("h", "e"), ("he", "ab"));
        json["added_tokens"] = new JsonArray(TokenizerFixtures.Added(259, "<x>"));
        byte[] sound = Encoding.UTF8.GetBytes(json.ToJsonString());
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        var random = new Random(20260104);
        int refused = 0;
        for (int round = 0; round < 1000; round++)
        {
            File.WriteAllBytes(path, Damage(sound, sound.Length, random));
            Exception? refusal = Record.Exception(() => TokenizerJson.Open(path, 300, s_special).Encode("heab <x> é"));
            Assert.True(refusal is null or InvalidDataException, $"round {round}: {refusal}");
            refused += refusal is null ? 0 : 1;
        }
        Assert.InRange(refused, 500, 1000);
    }

    [Fact]
    public void PatternsWithoutEndAreStopped()
    {
        var rules = new TextRules { Splits = { new Split(new("(a+)+$", default, TimeSpan.FromMilliseconds(50))) } };
        var vocabulary = new BytePairVocabulary("file", 300, isByteLevel: false, takesWholePieces: false);
        var tokenizer = new BytePairTokenizer(vocabulary, rules, s_special, []);
        Assert.Contains("(a+)+$", Refusal(() => tokenizer.Encode(new string('a', 40) + "b")), StringComparison.Ordinal);
    }
}
