using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>
/// Every door that writes into spans of the caller, by name, on a small seeded problem; outputs come from <see cref="OutputSpans"/>. Those of a family may
/// stand in a class of its own, whose name ends like this one's.
/// </summary>
internal static class OutputDoors
{
    private const int Rows = 3, Inputs = 8, Outputs = 5, Elements = Rows * Inputs, Weights = Outputs * Inputs, Tokens = 6;

    private const int MarlinOutputs = 64, MarlinInputs = 16, MarlinWeights = MarlinOutputs * MarlinInputs;

    private static readonly AttentionShape s_heads = new(4, 2, 8);
    private static readonly RnnShape s_steps = new(SequenceCount: 2, StepCount: 3, ChannelCount: 4);

    private static readonly Dictionary<string, Action<OutputSpans>> s_here = new()
    {
        ["softmax"] = spans => Softmax.Compute<float>(Normal(Elements), spans.Of<float>(Elements), Inputs),
        ["softmax, another axis"] = spans => Softmax.Compute<float>(Normal(Elements), spans.Of<float>(Elements), [Rows, Inputs], axis: 0),
        ["log-softmax"] = spans => Softmax.LogSoftmax<float>(Normal(Elements), spans.Of<float>(Elements), Inputs),
        ["log-softmax, another axis"] = spans => Softmax.LogSoftmax<float>(Normal(Elements), spans.Of<float>(Elements), [Rows, Inputs], axis: 0),
        ["log-sum-exp"] = spans => Softmax.LogSumExp<float>(Normal(Elements), spans.Of<float>(Rows), Inputs),
        ["log-sum-exp, another axis"] = spans => Softmax.LogSumExp<float>(Normal(Elements), spans.Of<float>(Inputs), [Rows, Inputs], axis: 0),
        ["top-k"] = spans => Softmax.TopK<float>(Normal(Elements), spans.Of<float>(Rows * 2), spans.Of<int>(Rows * 2), Inputs, count: 2),
        ["softmax, backward"] = spans => Softmax.Backward<float>(Normal(Elements), Normal(Elements), spans.Of<float>(Elements), Inputs),
        ["log-softmax, backward"] = spans => Softmax.LogBackward<float>(Normal(Elements), Normal(Elements), spans.Of<float>(Elements), Inputs),

        ["4-bit product"] = spans => MixedPrecisionGemm.Multiply<float>(Normal(Elements), FourBits(), spans.Of<float>(Rows * Outputs)),
        ["4-bit product in eight bits"] = spans =>
            MixedPrecisionGemm.Multiply<float>(
                Normal(Elements), FourBits(), spans.Of<float>(Rows * Outputs), new() { Arithmetic = GemmArithmetic.Int8Activations }),
        ["4-bit weights as floats"] = spans => FourBits().Dequantize(spans.Of<float>(Weights)),
        ["4-bit weights as integers"] = spans =>
            FourBits().Unpack(spans.Of<byte>(Weights), spans.Of<float>(Outputs * 2), spans.Of<byte>(Outputs * 2), spans.Of<int>(Inputs)),
        ["MARLIN's weights"] = spans => MarlinLayout.Pack(new byte[MarlinWeights], MarlinOutputs, MarlinInputs, 4, spans.Of<int>(MarlinWeights / 8)),
        ["MARLIN's weights, back"] = spans => MarlinLayout.Unpack(new int[MarlinWeights / 8], MarlinOutputs, MarlinInputs, 4, spans.Of<byte>(MarlinWeights)),
        ["MARLIN's scales"] = spans => MarlinLayout.PermuteScales<float>(Normal(2 * MarlinOutputs), MarlinOutputs, 2, spans.Of<float>(2 * MarlinOutputs)),
        ["MARLIN's scales, back"] = spans =>
            MarlinLayout.UnpermuteScales<float>(Normal(2 * MarlinOutputs), MarlinOutputs, 2, spans.Of<float>(2 * MarlinOutputs)),
        ["MARLIN's zero points"] = spans => MarlinLayout.PackZeroPoints(new byte[2 * MarlinOutputs], MarlinOutputs, 2, 4, spans.Of<int>(2 * MarlinOutputs / 8)),
        ["MARLIN's zero points, back"] = spans =>
            MarlinLayout.UnpackZeroPoints(new int[2 * MarlinOutputs / 8], MarlinOutputs, 2, 4, spans.Of<byte>(2 * MarlinOutputs)),

        ["int8 product"] = spans => Int8Decomposition.Multiply<float>(Normal(Elements), EightBits(), spans.Of<float>(Rows * Outputs)),
        ["int8 product of integers"] = spans => Int8Decomposition.MultiplyInt8(new sbyte[Elements], EightBits(), spans.Of<int>(Rows * Outputs)),
        ["int8 rows"] = spans => Int8Decomposition.QuantizeRows<float>(Normal(Elements), Inputs, spans.Of<sbyte>(Elements), spans.Of<float>(Rows)),
        ["int8 columns"] = spans => Int8Decomposition.QuantizeColumns<float>(Normal(Elements), Inputs, spans.Of<sbyte>(Elements), spans.Of<float>(Inputs)),
        ["int8 rows and columns"] = spans => Int8Decomposition.DoubleQuantize<float>(
            Normal(Elements), Inputs, spans.Of<sbyte>(Elements), spans.Of<float>(Rows), spans.Of<sbyte>(Elements), spans.Of<float>(Inputs)),
        ["int8 rows, back"] = spans => Int8Decomposition.Dequantize<float>(new sbyte[Elements], Inputs, [1, 2, 3], spans.Of<float>(Elements)),
        ["int8 product, back"] = spans => Int8Decomposition.DequantizeProduct<float>(new int[Rows * 2], [1, 2, 3], [1, 2], spans.Of<float>(Rows * 2)),
        ["int8 outlier columns"] = spans => Int8Decomposition.FindOutlierColumns<float>(Normal(Elements), Inputs, 1, spans.Of<int>(Inputs)),
        ["int8 weights as floats"] = spans => EightBits().Dequantize(spans.Of<float>(Weights)),
        ["int8 weights as integers"] = spans => EightBits().CopyValuesTo(spans.Of<sbyte>(Weights)),
        ["int8 layer"] = spans => new Int8Linear(EightBits()).Forward<float>(Normal(Elements), spans.Of<float>(Rows * Outputs)),
        ["int8 layer, backward"] = spans => new Int8Linear(EightBits()).Backward<float>(
            Normal(Rows * Outputs), Normal(Elements), spans.Of<float>(Elements), spans.Of<float>(Weights), spans.Of<float>(Outputs)),

        ["attention"] = spans => SparseAttention.Attend<float>(
            Queries(), Keys(), Keys(), spans.Of<float>(Tokens * s_heads.QueryHeads * s_heads.HeadDimension), s_heads,
            new() { LogSumExp = spans.Of<float>(Tokens * s_heads.QueryHeads), ColumnSums = spans.Of<float>(s_heads.QueryHeads * Tokens) }),
        ["attention, backward"] = spans => SparseAttention.Backward<float>(
            Queries(), Queries(), Keys(), Keys(), Queries(), new float[Tokens * s_heads.QueryHeads],
            spans.Of<float>(Queries().Length), spans.Of<float>(Keys().Length), spans.Of<float>(Keys().Length), s_heads),
        ["attention over a cache"] = spans =>
        {
            using KvCache cache = Cache(out int sequence);
            SparseAttention.Attend(
                Queries(), cache, [sequence], spans.Of<float>(Queries().Length), s_heads.QueryHeads,
                new() { LogSumExp = spans.Of<float>(Tokens * s_heads.QueryHeads), ColumnSums = spans.Of<float>(s_heads.QueryHeads * Tokens) });
        },
        ["decoding"] = spans =>
        {
            using KvCache cache = Cache(out int sequence);
            int row = s_heads.QueryHeads * s_heads.HeadDimension;
            SparseAttention.Decode(Normal(row), cache, sequence, spans.Of<float>(row));
        },
        ["a token of a cache"] = spans =>
        {
            using KvCache cache = Cache(out int sequence);
            int row = s_heads.KeyValueHeads * s_heads.HeadDimension;
            cache.Read(sequence, 1, spans.Of<float>(row), spans.Of<float>(row));
        },

        ["sparse matrix by vector"] = spans => Sparse.MultiplyVector<double>(Graph(), new double[4], spans.Of<double>(3)),
        ["sparse matrix by dense one"] = spans => Sparse.MultiplyDense<double>(Graph(), new double[4 * 2], 2, spans.Of<double>(3 * 2)),
        ["sums of sparse rows"] = spans => Sparse.ReduceRows<double, PlusTimes<double>>(Graph(), spans.Of<double>(3)),
        ["sums of sparse columns"] = spans => Sparse.ReduceColumns<double, PlusTimes<double>>(Graph(), spans.Of<double>(4)),
        ["values of a planned product"] = spans =>
        {
            CsrMatrix<double> graph = Graph(), transpose = graph.Transpose();
            SpGemmPlan<double> plan = SpGemm.Plan(graph, transpose);
            plan.MultiplyNumeric<PlusTimes<double>>(graph, transpose, spans.Of<double>((int)plan.EntryCount));
        },

        ["recurrence"] = spans => ParaRnn.Forward<ParaGru, float>(
            Normal(72), Normal(12), spans.Of<float>(24), s_steps, new() { FinalState = spans.Of<float>(8) }),
        ["recurrence, backward"] = spans => ParaRnn.Backward<ParaGru, float>(
            Normal(72), Normal(12), Normal(24), Normal(24), spans.Of<float>(72), spans.Of<float>(12), s_steps,
            new() { InitialStateGradient = spans.Of<float>(8) }),
        ["affine scan"] = spans => AffineScan.Compute<float>(Normal(24), Normal(24), spans.Of<float>(24), s_steps, 1),
        ["affine scan, backward"] = spans => AffineScan.Backward<float>(Normal(24), Normal(24), spans.Of<float>(24), s_steps, 1),
        ["linear layer"] = spans => new LinearLayer("l", Inputs, Outputs, seed: 1).Forward(Normal(Elements), spans.Of<float>(Rows * Outputs)),
        ["linear layer, backward"] = spans =>
            new LinearLayer("l", Inputs, Outputs, seed: 1).Backward(Normal(Elements), Normal(Rows * Outputs), spans.Of<float>(Elements)),
        ["embedding"] = spans => new EmbeddingLayer("e", 4, Inputs, seed: 1).Forward([3, 0, 3], spans.Of<float>(Elements)),
        ["recurrent layer"] = spans => new ParaLstmLayer("r", Inputs, 4, seed: 1).Forward(Normal(6 * Inputs), spans.Of<float>(6 * 4), sequenceCount: 2),
        ["recurrent layer on its gates"] = spans =>
        {
            var layer = new ParaGruLayer("r", Inputs, 4, seed: 1);
            layer.Recur(Normal(6 * layer.Projection.OutputCount), spans.Of<float>(6 * 4), sequenceCount: 2);
        },
        ["recurrent layer, backward"] = spans =>
        {
            var layer = new ParaGruLayer("r", Inputs, 4, seed: 1);
            layer.Forward(Normal(6 * Inputs), new float[6 * 4], sequenceCount: 2);
            layer.Backward(Normal(6 * 4), spans.Of<float>(6 * Inputs));
        },

        ["losses of a classifier"] = spans =>
            LinearCrossEntropy.TokenLosses(Normal(Elements), Normal(Weights), [4, 0, 2], spans.Of<float>(Rows), new(Rows, Inputs, Outputs)),
        ["log-probabilities of a classifier"] = spans => LinearCrossEntropy.LogProbabilities(
            Normal(Elements), Normal(Weights), [4, 0, 2], spans.Of<float>(Rows), spans.Of<float>(Rows), new(Rows, Inputs, Outputs)),

        ["BLEU"] = spans => TensorBleu.Score(Candidates(), References(), spans.Of<double>(2)),
        ["BLEU, prepared"] = spans =>
        {
            using var scorer = new BleuScorer();
            scorer.Score(Candidates(), new PreparedReferences<int>(References()), spans.Of<double>(2));
        },
        ["BLEU's counts"] = spans =>
        {
            using var scorer = new BleuScorer();
            scorer.Statistics(Candidates(), References(), spans.Of<BleuStatistics>(2));
        },
        ["BLEU of counts"] = spans => TensorBleu.Accumulate(Candidates(), References()).Scores(spans.Of<double>(1), default),
        ["BLEU's counts as bytes"] = spans => TensorBleu.Accumulate(Candidates(), References()).Write(spans.Of<byte>(BleuStatistics.SerializedBytes)),
    };

    public static Dictionary<string, Action<OutputSpans>> All { get; } = new(s_here.Concat(
        from type in typeof(OutputDoors).Assembly.GetTypes()
        where type != typeof(OutputDoors) && type.Name.EndsWith(nameof(OutputDoors), StringComparison.Ordinal)
        from door in (Dictionary<string, Action<OutputSpans>>)type.GetProperty(nameof(All))!.GetValue(null)!
        select door));

    private static float[] Normal(int count) => SparseAttentionCases.Normal(count, seed: 5);

    private static float[] Queries() => Normal(Tokens * s_heads.QueryHeads * s_heads.HeadDimension);

    private static float[] Keys() => Normal(Tokens * s_heads.KeyValueHeads * s_heads.HeadDimension);

    private static QuantizedWeights FourBits() =>
        QuantizedWeights.Pack(Normal(Weights), Outputs, Inputs, new(QuantizedType.U4ZeroPoint, GroupSize: Inputs / 2));

    private static Int8Weights EightBits() => Int8Weights.Pack(Normal(Weights), Outputs, Inputs);

    private static CsrMatrix<double> Graph() => CsrMatrix.FromCoo<double>(3, 4, [0, 0, 1, 2], [1, 3, 2, 3], [1, 2, 3, 4]);

    private static TokenBatch<int> Candidates() => TokenBatch.Padded<int>(new[] { 5, 6, 7, 8, 9, 5, 6, 1, 8, 9 }, rowLength: 5, padToken: 0);

    private static TokenBatch<int> References() => TokenBatch.Padded<int>(new[] { 5, 6, 7, 8, 9, 5, 6, 7, 8, 9 }, rowLength: 5, padToken: 0);

    private static KvCache Cache(out int sequence)
    {
        var cache = new KvCache(new() { KeyValueHeads = s_heads.KeyValueHeads, HeadDimension = s_heads.HeadDimension, PageCount = 1, PageSize = 16 });
        sequence = cache.CreateSequence();
        cache.Append(sequence, Keys(), Keys());
        return cache;
    }
}
