using System.Text.Json;

namespace Kernels.Tests;

/// <summary>Softmax as a real model computed it. The data lies beside the project, not in it; without it the tests are skipped by name.</summary>
public sealed class SoftmaxRealDataTests
{
    private static JsonElement Open(string relative) => JsonDocument.Parse(File.ReadAllText(SharedData.Find(relative))).RootElement;

    [SkippableTheory]
    [InlineData("attention/gpt2-small_ex0.json")]
    [InlineData("attention/gpt2-small_ex1.json")]
    public void Gpt2AttentionIsReproduced(string file)
    {
        JsonElement outputs = Open(file).GetProperty("outputs");
        int heads = 0;
        foreach (JsonProperty output in outputs.EnumerateObject().Where(o => o.Name.EndsWith("_attn_scaled", StringComparison.Ordinal)))
        {
            float[][] scores = Rows(output.Value), expected = Rows(outputs.GetProperty(output.Name.Replace("_scaled", "_softmax", StringComparison.Ordinal)));
            int tokens = scores.Length;
            var probabilities = new float[tokens * tokens];
            Softmax.Compute<float>(scores.SelectMany(row => row).ToArray(), probabilities, tokens, new() { Causal = true });
            for (int i = 0; i < probabilities.Length; i++)
                Assert.Equal(expected[i / tokens][i % tokens], probabilities[i], 1e-6f);
            heads++;
        }
        Assert.True(heads >= 12, $"{heads} heads");
    }

    [SkippableTheory]
    [InlineData("attention/gpt2-small_ex0.json")]
    [InlineData("attention/gpt2-small_ex1.json")]
    public void Gpt2SamplingIsReproduced(string file)
    {
        // The file lists fifty tokens in descending order. Of these some survived top-k filtering; the others' logit became minus infinity, written as null.
        const double temperature = 0.8;
        JsonElement root = Open(file);
        double[] logits = [.. root.GetProperty("logits").EnumerateArray().Select(x => x.GetDouble())];
        JsonElement[] table = [.. root.GetProperty("probabilities").EnumerateArray()];
        double[] values = new double[table.Length], kept = new double[logits.Length];
        var indices = new int[table.Length];
        Softmax.TopK<double>(logits, values, indices, logits.Length, table.Length, new() { Scale = 1 / temperature });
        Array.Fill(kept, double.NegativeInfinity);
        for (int i = 0; i < table.Length; i++)
        {
            if (table[i].GetProperty("topKLogit").ValueKind == JsonValueKind.Number)
                kept[indices[i]] = logits[indices[i]];
        }
        Softmax.Compute<double>(kept, kept, kept.Length, new() { Scale = 1 / temperature });
        for (int i = 0; i < table.Length; i++)
        {
            Assert.Equal(table[i].GetProperty("tokenId").GetInt32(), indices[i]);
            Assert.Equal(table[i].GetProperty("probability").GetDouble(), kept[indices[i]], 1e-6);
        }
    }

    // Masked scores stand as null; the causal option leaves them out.
    private static float[][] Rows(JsonElement matrix) =>
        [.. matrix.GetProperty("data").EnumerateArray()
        .Select(row => row.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Number ? x.GetSingle() : float.NaN).ToArray())];
}
