using System.Runtime.ExceptionServices;

namespace Kernels.Tests;

/// <summary>
/// Operations of every family, at the sizes that ask for the largest scratch, on a thread of 128 KiB of stack, which servers and other runtimes' callbacks
/// have. A frame that is too large for it ends the process: no assertion can report it. The first run, on an ordinary stack, compiles the code, since the
/// compiler works on the same stack.
/// </summary>
public sealed class SmallStackTests
{
    private const int SmallStackBytes = 128 << 10;

    private static readonly KernelOptions s_alone = new() { MaxDegreeOfParallelism = 1 };

    public static TheoryData<string> AttentionVariants => SparseAttentionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(AttentionVariants))]
    public void SparseAttentionRuns(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        var shape = new AttentionShape(2, 1, AttentionShape.LargestHeadDimension);
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, 64, 64);
        v[3] = float.NaN;
        float[] output = new float[q.Length], sums = new float[128], columns = new float[128];
        float[] dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
        OnSmallStack(() => SparseAttention.Attend<float>(q, k, v, output, shape,
            new() { Causal = true, SoftCap = 20, LogSumExp = sums, ColumnSums = columns, Kernel = kernel }));
        OnSmallStack(() => SparseAttention.Backward<float>(q, q, k, v, output, sums, dq, dk, dv, shape,
            new() { Causal = true, SoftCap = 20, Kernel = kernel }));
        // One query, streamed, of as many heads to a key as are streamed, and of many more.
        foreach (int heads in new[] { 64, 600 })
        {
            var grouped = new AttentionShape(heads, 1, AttentionShape.LargestHeadDimension);
            (q, k, v) = SparseAttentionCases.Inputs(grouped, 1, 130);
            float[] single = new float[q.Length], observed = new float[heads * 130];
            OnSmallStack(() => SparseAttention.Attend<float>(q, k, v, single, grouped, new() { ColumnSums = observed, Kernel = kernel }));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(AttentionVariants))]
    public void TokenSelectionRuns(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        const int heads = 1100, dimension = 64;
        foreach (bool keepsBits in new[] { false, true })
        {
            using var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = dimension, PageCount = 20, SplitNibbleKeys = keepsBits });
            int sequence = cache.CreateSequence();
            cache.Append(sequence, SparseAttentionCases.Normal(300 * dimension, 1), SparseAttentionCases.Normal(300 * dimension, 2));
            float[] query = SparseAttentionCases.Normal(heads * dimension, 3), output = new float[query.Length];
            OnSmallStack(() => SparseAttention.Decode(query, cache, sequence, output,
                new TokenSelect(new() { SinkTokens = 16, TopK = 32, RecentTokens = 16, HighNibbles = keepsBits }), new() { Kernel = kernel }));
        }
    }

    [Fact]
    public void SoftmaxRuns()
    {
        const int length = 200_000;
        float[] x = SparseAttentionCases.Normal(length, 1), y = new float[length], best = new float[8];
        double[] wide = Element.ToDoubles<float>(x), wideResult = new double[length];
        int[] indices = new int[8];
        OnSmallStack(() => Softmax.Compute<float>(x, y, length, new() { Kernel = s_alone }));
        OnSmallStack(() => Softmax.Compute<double>(wide, wideResult, 2000, new() { Kernel = s_alone }));
        OnSmallStack(() => Softmax.Compute<double>(wide, wideResult, [100, 2000], 0, new() { Kernel = s_alone }));
        OnSmallStack(() => Softmax.LogSoftmax<double>(wide, wideResult, length, new() { Kernel = s_alone }));
        OnSmallStack(() => Softmax.TopK<float>(x, best, indices, length, 8, new() { Kernel = s_alone }));
        OnSmallStack(() => Softmax.Backward<double>(wideResult, wide, new double[length], length, new() { Kernel = s_alone }));
    }

    [Fact]
    public void ProductsRun()
    {
        const int rows = 200, inputs = 384, outputs = 96;
        float[] weights = SparseAttentionCases.Normal(inputs * outputs, 1), x = SparseAttentionCases.Normal(rows * inputs, 2), y = new float[rows * outputs];
        foreach (QuantizedType type in new[] { QuantizedType.U4, QuantizedType.U8 })
        {
            QuantizedWeights packed = QuantizedWeights.Pack(weights, outputs, inputs, new(type, GroupSize: 128));
            foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
                OnSmallStack(() => MixedPrecisionGemm.Multiply<float>(x, packed, y, new() { Arithmetic = arithmetic, Kernel = s_alone }));
        }
        Int8Weights bytes = Int8Weights.Pack(weights, outputs, inputs);
        var layer = new Int8Linear(bytes, bias: null);
        float[] dx = new float[x.Length], dw = new float[weights.Length];
        OnSmallStack(() => Int8Decomposition.Multiply<float>(x, bytes, y, new() { Threshold = 2, Kernel = s_alone }));
        OnSmallStack(() => layer.Backward<float>(y, x, dx, dw, default, s_alone));
    }

    [Fact]
    public void RecurrencesRun()
    {
        var shape = new RnnShape(SequenceCount: 2, StepCount: 3000, ChannelCount: 3);
        double[] gates = Element.ToDoubles<float>(SparseAttentionCases.Normal(2 * 3000 * 3 * 3, 1)),
            weights = Element.ToDoubles<float>(SparseAttentionCases.Normal(15, 2, 0.2)), states = new double[2 * 3000 * 3 * 2];
        double[] gateGradients = new double[gates.Length], weightGradients = new double[15];
        foreach (RnnSolver solver in Enum.GetValues<RnnSolver>())
            OnSmallStack(() => ParaRnn.Forward<ParaLstm, double>(gates, weights, states, shape, new() { Solver = solver, Kernel = s_alone }));
        OnSmallStack(() => ParaRnn.Backward<ParaLstm, double>(gates, weights, states, states, gateGradients, weightGradients, shape,
            new() { Kernel = s_alone }));
        double[] matrices = [.. Enumerable.Repeat(0.3, 2 * 3000 * 3 * 4)];
        OnSmallStack(() => AffineScan.Compute<double>(matrices, states, new double[states.Length], shape, 2, new() { Kernel = s_alone }));
    }

    [Fact]
    public void SparseProductsAndScoresRun()
    {
        CsrMatrix<double> graph = CsrMatrix.FromCoo<double>(400, 400, [.. Enumerable.Range(0, 4000).Select(i => i / 10)],
            [.. Enumerable.Range(0, 4000).Select(i => (i / 10 * 7 + i % 10 * 31) % 400)], [.. Enumerable.Repeat(1.0, 4000)]);
        OnSmallStack(() => SpGemm.Multiply(graph, graph, new() { Kernel = s_alone }));
        CsrMatrix<double> undirected = Sparse.Add(graph, graph.Transpose());
        OnSmallStack(() => Sparse.CountTriangles(undirected));
        int[] tokens = [.. Enumerable.Range(0, 400).Select(i => i * i % 17)];
        double[] scores = new double[4];
        OnSmallStack(() =>
        {
            using var scorer = new BleuScorer();
            scorer.Score(TokenBatch.Padded<int>(tokens, rowLength: 100, padToken: -1), TokenBatch.Padded<int>(tokens, rowLength: 100, padToken: -1), scores,
                new() { Kernel = s_alone });
        });
    }

    private static void OnSmallStack(Action work)
    {
        work();
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    work();
                }
                catch (Exception thrown)
                {
                    failure = ExceptionDispatchInfo.Capture(thrown);
                }
            },
            SmallStackBytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
