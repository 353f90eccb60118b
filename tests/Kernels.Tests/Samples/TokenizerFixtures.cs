using System.Text;
using System.Text.Json.Nodes;

namespace Kernels.Tests;

/// <summary>Small tokenizers as tokenizer.json spells them.</summary>
internal static class TokenizerFixtures
{
    /// <summary>Merges after the 256 bytes, each of two tokens that are there already; the merged tokens get the ids from 256 on.</summary>
    public static JsonObject ByteLevel(bool asPairs, params (string Left, string Right)[] merges)
    {
        var vocabulary = new JsonObject();
        for (int value = 0; value <= byte.MaxValue; value++)
            vocabulary[SpellByte((byte)value)] = value;
        var list = new JsonArray();
        foreach ((string left, string right) in merges)
        {
            vocabulary[left + right] = vocabulary.Count;
            list.Add(asPairs ? new JsonArray(left, right) : JsonValue.Create($"{left} {right}"));
        }
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = list },
        };
    }

    /// <summary>An added token.</summary>
    public static JsonObject Added(int token, string text) =>
        new() { ["id"] = token, ["content"] = text, ["special"] = true, ["lstrip"] = false, ["rstrip"] = false, ["single_word"] = false };

    /// <summary>
    /// llama2.c's tokenizer in the form of Llama 2's tokenizer.json: each way to cut a token in two is a merge, in the order of the tokens' scores.
    /// </summary>
    public static JsonObject FromLlama2(string path)
    {
        var tokens = new List<(float Score, string Text)>();
        using var reader = new BinaryReader(File.OpenRead(path));
        reader.ReadInt32();
        while (reader.BaseStream.Position < reader.BaseStream.Length)
            tokens.Add((reader.ReadSingle(), Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32())).Replace(' ', '▁')));
        var vocabulary = new JsonObject();
        foreach ((int token, (_, string text)) in tokens.Index())
            vocabulary[text] = token;
        var merges = new JsonArray();
        foreach ((_, string text) in tokens.OrderByDescending(token => token.Score))
        {
            for (int cut = 1; cut < text.Length; cut++)
            {
                if (vocabulary.ContainsKey(text[..cut]) && vocabulary.ContainsKey(text[cut..]))
                    merges.Add($"{text[..cut]} {text[cut..]}");
            }
        }
        JsonObject tokenizer = Llama2(vocabulary, merges);
        tokenizer["post_processor"] = Template(["<s>"], [], ("<s>", 1));
        return tokenizer;
    }

    /// <summary>A post-processor that puts tokens around a text.</summary>
    public static JsonObject Template(string[] before, string[] after, params (string Name, int Token)[] tokens)
    {
        JsonArray single = [.. before.Select(Special), new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A", ["type_id"] = 0 } },
            .. after.Select(Special)];
        var numbers = new JsonObject();
        foreach ((string name, int token) in tokens)
            numbers[name] = new JsonObject { ["id"] = name, ["ids"] = new JsonArray(token), ["tokens"] = new JsonArray(name) };
        return new JsonObject { ["type"] = "TemplateProcessing", ["single"] = single, ["special_tokens"] = numbers };

        static JsonNode Special(string name) => new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = name, ["type_id"] = 0 } };
    }

    /// <summary>Characters with a fallback to bytes, as Llama 2 has it.</summary>
    public static JsonObject Llama2(JsonObject vocabulary, JsonArray merges) => new()
    {
        ["added_tokens"] = new JsonArray(),
        ["normalizer"] = JsonNode.Parse(
            """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
        ["pre_tokenizer"] = null,
        ["decoder"] = JsonNode.Parse("""
            {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}
            """),
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["byte_fallback"] = true,
            ["fuse_unk"] = true,
            ["unk_token"] = "<unk>",
            ["vocab"] = vocabulary,
            ["merges"] = merges
        },
    };

    // GPT-2's bytes_to_unicode, by its definition: printable bytes first, then the others from 256 on.
    private static string SpellByte(byte value)
    {
        int[] printable = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range('¡', '¬' - '¡' + 1), .. Enumerable.Range('®', 'ÿ' - '®' + 1)];
        int[] others = [.. Enumerable.Range(0, 256).Except(printable)];
        return ((char)(printable.Contains(value) ? value : 256 + Array.IndexOf(others, value))).ToString();
    }
}
