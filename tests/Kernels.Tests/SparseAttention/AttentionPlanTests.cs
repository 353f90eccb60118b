using System.Text.Json;
using Kernels.Core.SparseAttention;

namespace Kernels.Tests;

/// <summary>Plans against slow transcriptions; real activations and patterns.</summary>
public sealed class AttentionPlanTests
{
    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void TopKBlocksAreTheirFormula(string variant)
    {
        var shape = new AttentionShape(4, 2, 8);
        var options = new TopKBlockOptions { CompressedLength = 8, CompressedStride = 4, BlockLength = 16, TopK = 4, InitialBlocks = 1, LocalBlocks = 2 };
        // More queries than are handled together, compressed keys of several panels, queries before all keys, and lengths that no tile divides.
        foreach ((int queries, int keys) in new[] { (200, 200), (3, 150), (5, 7), (40, 30), (53, 1100) })
        {
            (float[] q, float[] k, _) = SparseAttentionCases.Inputs(shape, queries, keys);
            foreach (int threads in new[] { 1, 3 })
            {
                BlockMask mask = SparseAttention.PlanTopKBlocks(q, k, shape, options with { Kernel = SparseAttentionCases.Force(variant, threads: threads) });
                for (int head = 0; head < 2; head++)
                {
                    for (int query = 0; query < queries; query++)
                    {
                        int[] expected = Blocks(shape, q, k, head, query, query + keys - queries, keys, new TopKBlockSizes(options));
                        Assert.Equal(expected, mask.Columns[mask.Offsets[head * queries + query]..mask.Offsets[head * queries + query + 1]].ToArray());
                    }
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void LogitsOfAnySizeRankBlocks(string variant)
    {
        // Logits from -1800 to 1800 in steps of 100: whatever order panels come in, the running reference moves by far more than a term's range, up and down.
        const int keys = 37 * 64;
        var shape = new AttentionShape(1, 1, 1);
        var options = new TopKBlockOptions { CompressedLength = 64, CompressedStride = 64, BlockLength = 64, TopK = 3, InitialBlocks = 0, LocalBlocks = 0 };
        float[] query = [1], ascending = new float[keys], descending = new float[keys];
        for (int i = 0; i < keys; i++)
            ascending[i] = descending[keys - 1 - i] = 100 * (i / 64 - 18);
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        // A block's window begins one compressed key before it. Terms of all but the largest vanish, so that ties go to the lower index.
        Assert.Equal([0, 1, 36], SparseAttention.PlanTopKBlocks(query, ascending, shape, options with { Kernel = kernel }).Columns.ToArray());
        Assert.Equal([0, 1, 2], SparseAttention.PlanTopKBlocks(query, descending, shape, options with { Kernel = kernel }).Columns.ToArray());
        // From 2^21 on logits are not told apart from infinity, as in attention itself.
        ascending[^1] = 3e9f;
        Assert.Throws<NotFiniteNumberException>(() => SparseAttention.PlanTopKBlocks(query, ascending, shape, options with { Kernel = kernel }));
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void PlansAreRefusedOrCancelledWithoutAResult(string variant)
    {
        var shape = new AttentionShape(2, 1, 8);
        (float[] q, float[] k, _) = SparseAttentionCases.Inputs(shape, 130, 130);
        KernelOptions kernel = SparseAttentionCases.Force(variant, threads: 2);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            SparseAttention.PlanTopKBlocks(q, k, shape, new() { Kernel = kernel with { CancellationToken = cancelled.Token } }));
        Assert.Equal("MaxDegreeOfParallelism",
            Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.PlanTopKBlocks(q, k, shape, new() { Kernel = kernel with { MaxDegreeOfParallelism = -1 } })).ParamName);
        Assert.ThrowsAny<ArgumentException>(() => SparseAttention.PlanTopKBlocks(q, k, shape, new() { Kernel = kernel with { Variant = "nonsense" } }));
        VerticalSlashCounts[] lines = [new(40, 40), new(40, 40)];
        Assert.ThrowsAny<OperationCanceledException>(() =>
            SparseAttention.PlanVerticalSlash(q, k, shape, lines, options: kernel with { CancellationToken = cancelled.Token }));
        Assert.Equal("MaxDegreeOfParallelism",
            Assert.ThrowsAny<ArgumentException>(() =>
            SparseAttention.PlanVerticalSlash(q, k, shape, lines, options: kernel with { MaxDegreeOfParallelism = -1 })).ParamName);
        Assert.ThrowsAny<ArgumentException>(() => SparseAttention.PlanVerticalSlash(q, k, shape, lines, options: kernel with { Variant = "nonsense" }));
        // Whether all blocks are taken or a few: what is no number is refused, in a query, in a key, and where their product overflows.
        foreach (int blocks in new[] { 1, 64 })
        {
            var options = new TopKBlockOptions { TopK = blocks, LocalBlocks = 1 };
            foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                float[] badQueries = [.. q], badKeys = [.. k];
                badQueries[129 * 16 + 9] = bad;
                badKeys[70 * 8 + 3] = bad;
                Assert.Throws<NotFiniteNumberException>(() => SparseAttention.PlanTopKBlocks(badQueries, k, shape, options with { Kernel = kernel }));
                Assert.Throws<NotFiniteNumberException>(() => SparseAttention.PlanTopKBlocks(q, badKeys, shape, options with { Kernel = kernel }));
                Assert.Throws<NotFiniteNumberException>(() => SparseAttention.PlanVerticalSlash(badQueries, k, shape, lines, options: kernel));
            }
        }
    }

    private static int[] Blocks(AttentionShape shape, float[] q, float[] k, int head, int query, int position, int keys, TopKBlockSizes sizes)
    {
        int compressed = keys < sizes.CompressedLength ? 0 : (keys - sizes.CompressedLength) / sizes.CompressedStride + 1;
        var sums = new double[compressed];
        for (int h = 2 * head; h < 2 * head + 2; h++)
        {
            var logits = new List<double>();
            for (int c = 0; c < compressed && c * sizes.CompressedStride + sizes.CompressedLength - 1 <= position; c++)
            {
                double dot = 0;
                for (int j = 0; j < sizes.CompressedLength; j++)
                {
                    for (int i = 0; i < shape.HeadDimension; i++)
                        dot += (double)q[(query * 4 + h) * shape.HeadDimension + i] * k[((c * sizes.CompressedStride + j) * 2 + head) * shape.HeadDimension + i]
                            / sizes.CompressedLength;
                }
                logits.Add(dot / Math.Sqrt(shape.HeadDimension));
            }
            double total = logits.Sum(Math.Exp);
            for (int c = 0; c < logits.Count; c++)
                sums[c] += Math.Exp(logits[c]) / total;
        }
        int own = (int)Math.Floor(position / (double)sizes.BlockLength), stride = sizes.BlockLength / sizes.CompressedStride;
        double score(int block) => block < sizes.InitialBlocks || block > own - sizes.LocalBlocks
            ? double.PositiveInfinity
            : sums.Where((_, c) => c >= block * stride - 1 && c < (block + 1) * stride && c * sizes.CompressedStride + sizes.CompressedLength - 1 <= position)
                .DefaultIfEmpty(double.NegativeInfinity).Max();
        return [.. Enumerable.Range(0, Math.Max(0, own + 1)).OrderByDescending(score).ThenBy(b => b)
            .Take(Math.Min(sizes.TopK, (keys + sizes.BlockLength - 1) / sizes.BlockLength)).Order()];
    }

    [SkippableTheory]
    [MemberData(nameof(SparseAttentionCases.Variants), MemberType = typeof(SparseAttentionCases))]
    public void VerticalSlashIsItsFormula(string variant)
    {
        var shape = new AttentionShape(4, 2, 8);
        VerticalSlashCounts[] counts = [new(33, 35), new(0, 0), new(31, 64), new(100, 30)];
        // More and fewer queries than the pattern is estimated from, one, none, queries before all keys; panels that keys and queries do not fill.
        foreach ((int queries, int keys, int blockLength) in new[] { (200, 200, 64), (3, 150, 7), (70, 40, 64), (64, 300, 100), (1, 65, 16), (0, 10, 4),
            (90, 131, 128) })
        {
            (float[] q, float[] k, _) = SparseAttentionCases.Inputs(shape, queries, keys);
            foreach (int threads in new[] { 1, 3 })
            {
                BlockMask mask = SparseAttention.PlanVerticalSlash(q, k, shape, counts, blockLength, SparseAttentionCases.Force(variant, threads: threads));
                for (int head = 0; head < 4; head++)
                {
                    (HashSet<int> verticals, HashSet<int> slashes) = Lines(shape, q, k, head, queries, keys, counts[head]);
                    for (int query = 0; query < queries; query++)
                    {
                        int position = query + keys - queries;
                        for (int key = 0; key < keys; key++)
                            Assert.Equal(verticals.Contains(key) || slashes.Contains(position - key), mask.Allows(head, query, key));
                    }
                }
            }
        }
    }

    private static (HashSet<int> Verticals, HashSet<int> Slashes) Lines(AttentionShape shape, float[] q, float[] k, int head, int queries, int keys,
        VerticalSlashCounts counts)
    {
        double[] columns = new double[keys], diagonals = new double[keys];
        for (int query = Math.Max(0, queries - 64); query < queries; query++)
        {
            int position = query + keys - queries;
            var logits = new double[Math.Max(0, position + 1)];
            for (int key = 0; key <= position; key++)
            {
                for (int i = 0; i < shape.HeadDimension; i++)
                    logits[key] += (double)q[(query * shape.QueryHeads + head) * shape.HeadDimension + i]
                        * k[(key * shape.KeyValueHeads + head / shape.GroupSize) * shape.HeadDimension + i] / Math.Sqrt(shape.HeadDimension);
            }
            double sum = logits.Sum(Math.Exp);
            for (int key = 0; key <= position; key++)
            {
                columns[key] += Math.Exp(logits[key]) / sum;
                diagonals[position - key] += Math.Exp(logits[key]) / sum;
            }
        }
        return (Largest(columns, counts.Verticals), Largest(diagonals, Math.Max(1, counts.Slashes)));

        static HashSet<int> Largest(double[] sums, int count) =>
            [.. Enumerable.Range(0, sums.Length).OrderByDescending(i => i < 30 ? double.PositiveInfinity : sums[i]).ThenBy(i => i).Take(count)];
    }

    [Fact]
    public void VerticalSlashFindsThePlantedLines()
    {
        // Query rows look for one key column and one distance: key 40 stands out for all, and each key for the query 50 after it.
        const int count = 160, d = 192;
        var shape = new AttentionShape(1, 1, d);
        float[] q = new float[count * d], k = new float[count * d];
        for (int i = 0; i < count; i++)
        {
            q[i * d] = k[i * d + 1 + i] = 20;
            if (i >= 50)
                q[i * d + 1 + i - 50] = 20;
        }
        k[40 * d] = 20;
        BlockMask mask = SparseAttention.PlanVerticalSlash(q, k, shape, [new VerticalSlashCounts(31, 31)]);
        for (int query = 0; query < count; query++)
        {
            for (int key = 0; key <= query; key++)
                Assert.Equal(key < 30 || key == 40 || query - key < 30 || query - key == 50, mask.Allows(0, query, key));
        }
    }

    [SkippableFact]
    public void MinferencePatternsAreAccepted()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(SharedData.Find("attention/minference_Llama_3_8B_Instruct_262k_best_pattern.json")));
        const int tokens = 200;
        var shape = new AttentionShape(32, 8, 8);
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, tokens, tokens);
        JsonElement layer = file.RootElement[3];
        VerticalSlashCounts[] counts = [.. Enumerable.Range(0, 32).Select(head => layer.GetProperty($"{head}"))
            .Select(head => new VerticalSlashCounts(head[1].GetInt32(), head[2].GetInt32()))];
        BlockMask mask = SparseAttention.PlanVerticalSlash(q, k, shape, counts);
        float[] sparse = new float[q.Length], dense = new float[q.Length];
        SparseAttention.Attend<float>(q, k, v, sparse, shape, new() { Causal = true, BlockMask = mask });
        SparseAttention.Attend<float>(q, k, v, dense, shape, new() { Causal = true });
        // Counts beyond the tokens mean all of them.
        SparseAttentionCases.AssertSameBits(dense, sparse, "MInference's budgets at 200 tokens");
        // At a hundredth of the budgets lines are left out.
        VerticalSlashCounts[] few = [.. counts.Select(c => new VerticalSlashCounts(c.Verticals / 25, c.Slashes / 150))];
        BlockMask part = SparseAttention.PlanVerticalSlash(q, k, shape, few);
        Assert.Equal(32, part.Shape.HeadCount);
        SparseAttention.Attend<float>(q, k, v, sparse, shape, new() { Causal = true, BlockMask = part });
        var oracle = new SparseAttentionOracle(shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v))
        {
            Causal = true,
            Bias = (head, query, key) => part.Allows(head, query, key) ? 0 : double.NegativeInfinity,
        };
        SparseAttentionCases.AssertClose(oracle.Run().Output, sparse, "vertical-slash");
        SparseAttentionCases.AssertAsGoodAsNaive(oracle, sparse, "vertical-slash");
    }

    [SkippableTheory]
    [InlineData("attention/gpt2-small_ex0.json")]
    [InlineData("attention/gpt2-small_ex1.json")]
    public void Gpt2AttentionIsReproduced(string path)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(SharedData.Find(path)));
        JsonElement outputs = file.RootElement.GetProperty("outputs");
        for (int layer = 0; layer < 12; layer++)
        {
            for (int head = 0; head < 12; head++)
            {
                float[][] scores = Matrix(outputs.GetProperty($"block_{layer}_attn_head_{head}_attn")),
                    softmax = Matrix(outputs.GetProperty($"block_{layer}_attn_head_{head}_attn_softmax"));
                int tokens = scores.Length;
                // Scores are recorded, queries and keys are not: rows of scores times the unit matrix are scores, and the unit matrix as values gives
                // probabilities.
                float[] unit = new float[tokens * tokens], actual = new float[tokens * tokens];
                for (int i = 0; i < tokens; i++)
                    unit[i * tokens + i] = 1;
                SparseAttention.Attend<float>(scores.SelectMany(row => row).ToArray(), unit, unit, actual, new(1, 1, tokens),
                    new() { Causal = true, Scale = 1 / Math.Sqrt(64) });
                float[] expected = [.. softmax.SelectMany(row => row)];
                for (int i = 0; i < expected.Length; i++)
                    Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, 1e-5);
            }
        }

        static float[][] Matrix(JsonElement element) =>
            [.. element.GetProperty("data").EnumerateArray().Select(row => row.EnumerateArray().Select(x => x.GetSingle()).ToArray())];
    }

    [SkippableFact]
    public void GptNanoAttentionIsReproduced()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(SharedData.Find("attention/gpt-nano-sort_partials.json")));
        const int heads = 3, tokens = 11, d = 16;
        int found = 0;
        Walk(file.RootElement);
        Assert.True(found > 0, "the file holds q, k, v and y");

        void Walk(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Object)
            {
                if (element.TryGetProperty("q", out JsonElement q) && element.TryGetProperty("attSm", out JsonElement probabilities))
                    Check(Floats(q), Floats(element.GetProperty("k")), Floats(element.GetProperty("v")), Floats(probabilities));
                foreach (JsonProperty property in element.EnumerateObject())
                    Walk(property.Value);
            }
            else if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in element.EnumerateArray())
                    Walk(item);
            }
        }

        // Recorded as [batch, heads, tokens, d].
        void Check(float[] q, float[] k, float[] v, float[] probabilities)
        {
            found++;
            for (int matrix = 0; matrix < q.Length / (tokens * d); matrix++)
            {
                float[] output = new float[tokens * d], expected = new float[tokens * d];
                SparseAttention.Attend<float>(q.AsSpan(matrix * tokens * d, tokens * d), k.AsSpan(matrix * tokens * d, tokens * d),
                    v.AsSpan(matrix * tokens * d, tokens * d), output, new(1, 1, d), new() { Causal = true });
                for (int i = 0; i < tokens * tokens * d; i++)
                    expected[i / (tokens * d) * d + i % d] += probabilities[matrix * tokens * tokens + i / d]
                        * v[matrix * tokens * d + i / d % tokens * d + i % d];
                for (int i = 0; i < expected.Length; i++)
                    Assert.InRange(Math.Abs(output[i] - expected[i]), 0, 1e-5);
            }
            Assert.Equal(0, q.Length % (heads * tokens * d));
        }

        static float[] Floats(JsonElement tensor) =>
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.GetProperty("data").GetBytesFromBase64()).ToArray();
    }
}
