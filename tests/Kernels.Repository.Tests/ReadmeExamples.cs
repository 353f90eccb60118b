namespace Kernels.Repository.Tests;

/// <summary>The README's examples, compiled and checked. Each stands between its two marks word for word.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public void SoftmaxExample()
    {
        // README
        float[] logits = [1f, 2f, 3f, float.NegativeInfinity, 0f, 100f];          // two rows of three
        float[] probabilities = new float[6];
        Softmax.Compute<float>(logits, probabilities, rowLength: 3);              // each row sums to 1
        Softmax.LogSoftmax<float>(logits, probabilities, 3, new() { Scale = 1 / 0.8 });

        float[] best = new float[2];
        int[] tokens = new int[2];
        Softmax.TopK<float>(logits, best, tokens, 3, count: 1);                   // the most likely token of each row
        KernelVariant chosen = KernelInfo.Catalogue[0].Chosen;                    // what ran, and KernelInfo says why
        // end
        Softmax.Compute<float>(logits, probabilities, 3);
        Assert.Equal(1, probabilities[0] + probabilities[1] + probabilities[2], 1e-6f);
        Assert.Equal(0, probabilities[3]);
        Assert.Equal(Math.Exp(-100), probabilities[4], 2 * float.Epsilon); // denormal, and kept
        Assert.Equal(1, probabilities[5], 1e-6f);
        Assert.Equal([2, 2], tokens);
        Assert.Equal(0.66524096f, best[0], 1e-6f);
        Assert.Equal("softmax", chosen.Family);
    }

    [Fact]
    public void MixedPrecisionGemmExample()
    {
        // README
        float[] weights = new float[64 * 128];                                    // [outputs, inputs], as torch's Linear keeps them
        for (int i = 0; i < weights.Length; i++)
            weights[i] = MathF.Sin(i);
        QuantizedWeights packed = QuantizedWeights.Pack(weights, outputCount: 64, inputCount: 128, new(QuantizedType.U4, GroupSize: 32));
        float[] activations = new float[3 * 128], products = new float[3 * 64];   // three rows
        Array.Fill(activations, 0.5f);
        MixedPrecisionGemm.Multiply<float>(activations, packed, products, new() { Arithmetic = GemmArithmetic.Int8Activations });
        // end
        // Activations of one value lose nothing to eight bits; the product is with the weights as they were rounded to four.
        var rounded = new float[weights.Length];
        packed.Dequantize(rounded);
        for (int i = 0; i < products.Length; i++)
            Assert.Equal(0.5 * rounded.AsSpan(i % 64 * 128, 128).ToArray().Sum(w => (double)w), products[i], 1e-4);
    }

    [Fact]
    public void Int8DecompositionExample()
    {
        // README
        float[] linear = new float[3 * 4];                                        // [outputs, inputs]
        Array.Fill(linear, 0.25f);
        Int8Weights eightBits = Int8Weights.Pack(linear, outputCount: 3, inputCount: 4);
        float[] features = [1f, -0.5f, 0.25f, 60f], projected = new float[3];     // 60 is an outlier: it is multiplied in float
        Int8Decomposition.Multiply<float>(features, eightBits, projected, new() { Threshold = 6f });
        var layer = new Int8Linear(eightBits, bias: [1f, 2f, 3f]);                // Forward, Backward, Save, Load
        layer.Forward<float>(features, projected);
        // end
        // -0.5 becomes -64 / 127 and 0.25 becomes 32 / 127; weights of one value lose nothing.
        for (int i = 0; i < projected.Length; i++)
            Assert.Equal(0.25f * ((127 - 64 + 32) / 127f + 60) + i + 1, projected[i], 1e-5f);
    }

    [Fact]
    public void SpGemmExample()
    {
        // README
        CsrMatrix<double> graph = CsrMatrix.FromCoo<double>(4, 4, [0, 0, 1, 1, 1, 2, 2, 2, 3, 3], [1, 2, 0, 2, 3, 0, 1, 3, 1, 2],
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        CsrMatrix<double> paths = SpGemm.Multiply(graph, graph);                  // paths of two edges; sorted, and MatrixMarket reads and writes files
        using var workspace = new SpGemmWorkspace();                              // keeps scratch, and the memory of results given back
        CsrMatrix<double> twoHops = SpGemm.Multiply<double, MinPlus<double>>(graph, graph,
            new() { Mask = SpGemmMask.Of(graph).Complement(), Workspace = workspace });
        long triangles = Sparse.CountTriangles(graph);
        // end
        Assert.Equal([2, 1, 1, 2], paths.RowValues(0).ToArray());
        Assert.Equal([0, 3], twoHops.RowColumns(0).ToArray());
        Assert.Equal(2, triangles);
    }

    [Fact]
    public void SparseAttentionExample()
    {
        // README
        int heads = 8, keyHeads = 2, dimension = 64, tokens = 4096;
        using var cache = new KvCache(new() { KeyValueHeads = keyHeads, HeadDimension = dimension, PageCount = tokens / 16, Type = KeyValueType.Float16 });
        int sequence = cache.CreateSequence();
        float[] keys = new float[tokens * keyHeads * dimension], values = new float[keys.Length];
        for (int i = 0; i < keys.Length; i++)
            (keys[i], values[i]) = (MathF.Sin(i), MathF.Cos(i));
        cache.Append(sequence, keys, values);                                     // prompt and first step
        float[] query = new float[heads * dimension], attended = new float[query.Length];
        Array.Fill(query, 0.1f);
        SparseAttention.Decode(query, cache, sequence, attended);                 // dense
        var select = new TokenSelect(new() { TopK = 256 });                       // 128 first, 256 by votes, 512 last tokens
        SparseAttention.Decode(query, cache, sequence, attended, select);
        // end
        Assert.Equal(1, select.ScoredCount);
        Assert.Equal(128 + 256 + 512, select.Select(query, cache, sequence, default).Length);
        // Means of values, which lie within -1 and 1.
        Assert.All(attended, x => Assert.InRange(x, -1, 1));
        Assert.Contains(attended, x => x != 0);
    }

    [Fact]
    public void TensorBleuExample()
    {
        // README
        int[] samples = [5, 6, 7, 8, 9, 5, 6, 1, 8, 9];                           // two candidates of five token ids
        int[] answers = [5, 6, 7, 8, 9, 5, 6, 7, 8, 9];
        TokenBatch<int> candidates = TokenBatch.Padded<int>(samples, rowLength: 5, padToken: 0);
        TokenBatch<int> references = TokenBatch.Padded<int>(answers, rowLength: 5, padToken: 0);
        double[] scores = new double[2];
        using var scorer = new BleuScorer();                                      // owns its tables: nothing is allocated once warm
        scorer.Score(candidates, references, scores, new() { Smoothing = BleuSmoothing.Exponential });
        // end
        Assert.Equal(1, scores[0], 1e-15);
        // Matches 4 of 5, 2 of 4, 0 of 3, 0 of 2; a missing order halves: 1/2 of 1 in 3, 1/4 of 1 in 2.
        Assert.Equal(Math.Pow(4.0 / 5 * (2.0 / 4) * (1.0 / 6) * (1.0 / 8), 0.25), scores[1], 1e-15);
    }

    [Fact]
    public void ParaRnnExample()
    {
        // README
        var shape = new RnnShape(SequenceCount: 1, StepCount: 4096, ChannelCount: 1);
        float[] gates = new float[4096 * 3], recurrent = [0.3f, -0.2f, 0.5f];      // gate inputs B x + b of all steps; recurrent weights
        for (int i = 0; i < gates.Length; i++)
            gates[i] = MathF.Sin(i);
        float[] states = new float[4096];
        SolveReport report = ParaRnn.Forward<ParaGru, float>(gates, recurrent, states, shape);      // report.Reason says why it chose its solver
        float[] byGates = new float[gates.Length], byWeights = new float[3];
        ParaRnn.Backward<ParaGru, float>(gates, recurrent, states, states, byGates, byWeights, shape);   // the gradient of half the sum of squares
        // end
        Assert.True(report.Converged);
        Assert.NotEmpty(report.Reason);
        double Loss(float moved)
        {
            ParaRnn.Forward<ParaGru, float>(gates, [recurrent[0] + moved, recurrent[1], recurrent[2]], states, shape);
            return states.Sum(state => (double)state * state / 2);
        }

        Assert.Equal((Loss(1e-2f) - Loss(-1e-2f)) / 2e-2, byWeights[0], 1e-2 * Math.Abs(byWeights[0]));
    }
}
