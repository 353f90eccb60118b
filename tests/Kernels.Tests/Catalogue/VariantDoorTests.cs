using System.Reflection;
using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>
/// No door ignores the variant that it is asked for: each that can be told how to run refuses one that does not exist. The list is held against the public
/// surface.
/// </summary>
public sealed class VariantDoorTests
{
    private const string Nonsense = "abacus/f32/cpu/beads";

    // What takes options for other reasons and runs no kernel, or whose kernel another door of the list runs.
    private static readonly string[] s_withoutKernels =
    [
        "BleuSignature.Of", "BleuStatistics.Score", "BleuStatistics.Scores", "TensorBleu.Bootstrap", // a text; formulas over finished counts
        "MatrixMarket.ReadHeader", // two lines
        "ITokenSelector.Select", "HeavyHitters.Select", // an interface; all tokens, always
        "GptqCheckpoint.Load", "AwqCheckpoint.Load", "MarlinCheckpoint.Load", // QuantizedWeights.FromQuantized
    ];

    private static readonly float[] s_four = [1, 2, 3, 4];
    private static readonly CsrMatrix<float> s_matrix = CsrMatrix.FromCoo<float>(2, 2, [0, 0, 1, 1], [0, 1, 0, 1], s_four);
    private static TokenBatch<int> Tokens => TokenBatch.Padded<int>([1, 2, 3, 4], rowLength: 4, padToken: 0);
    private static BleuReferences<int> References => Tokens;
    private static readonly Int8Weights s_int8 = Int8Weights.Pack(s_four, 2, 2);
    private static readonly QuantizedWeights s_packed = QuantizedWeights.Pack(s_four, 2, 2, new(GroupSize: 2));
    private static readonly RnnShape s_steps = new(SequenceCount: 1, StepCount: 1, ChannelCount: 1);
    private static readonly AttentionShape s_attention = new(QueryHeads: 1, KeyValueHeads: 1, HeadDimension: 4);
    private static readonly LinearClassifierShape s_classifier = new(TokenCount: 1, Width: 2, VocabularySize: 2);

    private static readonly Dictionary<string, Action<KernelOptions>> s_doors = new()
    {
        ["Softmax.Compute"] = kernel => Softmax.Compute<float>(s_four, new float[4], 4, new() { Kernel = kernel }),
        ["Softmax.LogSoftmax"] = kernel => Softmax.LogSoftmax<float>(s_four, new float[4], 4, new() { Kernel = kernel }),
        ["Softmax.LogSumExp"] = kernel => Softmax.LogSumExp<float>(s_four, new float[1], 4, new() { Kernel = kernel }),
        ["Softmax.TopK"] = kernel => Softmax.TopK<float>(s_four, new float[1], new int[1], 4, 1, new() { Kernel = kernel }),
        ["Softmax.Backward"] = kernel => Softmax.Backward<float>(s_four, s_four, new float[4], 4, new() { Kernel = kernel }),
        ["Softmax.LogBackward"] = kernel => Softmax.LogBackward<float>(s_four, s_four, new float[4], 4, new() { Kernel = kernel }),
        ["MixedPrecisionGemm.Multiply"] = kernel => MixedPrecisionGemm.Multiply<float>(new float[2], s_packed, new float[2], new() { Kernel = kernel }),
        ["QuantizedWeights.Pack"] = kernel => QuantizedWeights.Pack(s_four, 2, 2, new(GroupSize: 2), kernel),
        ["QuantizedWeights.FromQuantized"] = kernel => QuantizedWeights.FromQuantized([1, 2, 3, 4], [1f, 1f], [], 2, 2, new(GroupSize: 2), default, kernel),
        ["QuantizedWeights.PackGptq"] = kernel => QuantizedWeights.PackGptq(s_four, 2, 2, new(GroupSize: 2), Hessian(), new() { Kernel = kernel }),
        ["Int8Decomposition.Multiply"] = kernel => Int8Decomposition.Multiply<float>(new float[2], s_int8, new float[2], new() { Kernel = kernel }),
        ["Int8Decomposition.MultiplyInt8"] = kernel => Int8Decomposition.MultiplyInt8(new sbyte[2], s_int8, new int[2], kernel),
        ["Int8Decomposition.QuantizeRows"] = kernel => Int8Decomposition.QuantizeRows<float>(s_four, 2, new sbyte[4], new float[2], 0, kernel),
        ["Int8Decomposition.FindOutlierColumns"] = kernel => Int8Decomposition.FindOutlierColumns<float>(s_four, 2, 6, new int[2], kernel),
        ["Int8Decomposition.QuantizeColumns"] = kernel => Int8Decomposition.QuantizeColumns<float>(s_four, 2, new sbyte[4], new float[2], 0, kernel),
        ["Int8Decomposition.DoubleQuantize"] = kernel =>
            Int8Decomposition.DoubleQuantize<float>(s_four, 2, new sbyte[4], new float[2], new sbyte[4], new float[2], 0, kernel),
        ["Int8Decomposition.Dequantize"] = kernel => Int8Decomposition.Dequantize<float>(new sbyte[4], 2, [1f, 1f], new float[4], kernel),
        ["Int8Decomposition.DequantizeProduct"] = kernel =>
            Int8Decomposition.DequantizeProduct<float>(new int[4], [1f, 1f], [1f, 1f], new float[4], default, kernel),
        ["Int8Linear.Forward"] = kernel => new Int8Linear(s_int8).Forward<float>(new float[2], new float[2], kernel),
        ["Int8Linear.Backward"] = kernel => new Int8Linear(s_int8).Backward<float>(new float[2], default, new float[2], options: kernel),
        ["Int8Weights.Pack"] = kernel => Int8Weights.Pack(s_four, 2, 2, kernel),
        ["Int8Weights.FromQuantized"] = kernel => Int8Weights.FromQuantized([1, 2, 3, 4], [1f, 1f], 2, 2, kernel),
        ["SparseAttention.Attend"] = kernel => SparseAttention.Attend<float>(s_four, s_four, s_four, new float[4], s_attention, new() { Kernel = kernel }),
        ["SparseAttention.Backward"] = kernel =>
            SparseAttention.Backward<float>(s_four, s_four, s_four, s_four, new float[4], new float[1], new float[4], new float[4], new float[4], s_attention,
            new() { Kernel = kernel }),
        ["SparseAttention.Decode"] = kernel =>
            OverCache((cache, sequence) => SparseAttention.Decode(s_four, cache, sequence, new float[4], null, new() { Kernel = kernel })),
        ["SparseAttention.PlanTopKBlocks"] = kernel => SparseAttention.PlanTopKBlocks(s_four, s_four, s_attention, new() { Kernel = kernel }),
        ["SparseAttention.PlanVerticalSlash"] = kernel => SparseAttention.PlanVerticalSlash(s_four, s_four, s_attention, [new(1, 1)], options: kernel),
        ["SpAttenState.Decode"] = kernel =>
            OverCache((cache, sequence) => Following(cache, sequence).Decode(s_four, cache, sequence, new float[4], options: kernel)),
        ["TokenSelect.Select"] = kernel =>
            OverCache((cache, sequence) => new TokenSelect(new() { TopK = 1, SinkTokens = 1, RecentTokens = 1 }).Select(s_four, cache, sequence, kernel)),
        ["SpGemm.Multiply"] = kernel => SpGemm.Multiply(s_matrix, s_matrix, new() { Kernel = kernel }),
        ["SpGemm.MultiplyByTranspose"] = kernel => SpGemm.MultiplyByTranspose(s_matrix, new() { Kernel = kernel }),
        ["SpGemm.MultiplyTransposeBy"] = kernel => SpGemm.MultiplyTransposeBy(s_matrix, new() { Kernel = kernel }),
        ["SpGemm.MultiplyInBlocks"] = kernel => SpGemm.MultiplyInBlocks(s_matrix, s_matrix, 1 << 20, new() { Kernel = kernel }).Count(),
        ["SpGemm.Plan"] = kernel => SpGemm.Plan(s_matrix, s_matrix, new() { Kernel = kernel }),
        ["SpGemm.Count"] = kernel => SpGemm.Count(s_matrix, s_matrix, kernel),
        ["Sparse.MultiplyVector"] = kernel => Sparse.MultiplyVector(s_matrix, new float[2], new float[2], kernel),
        ["Sparse.MultiplyDense"] = kernel => Sparse.MultiplyDense(s_matrix, new float[2], 1, new float[2], kernel),
        ["Sparse.Add"] = kernel => Sparse.Add(s_matrix, s_matrix, kernel),
        ["Sparse.MultiplyElements"] = kernel => Sparse.MultiplyElements(s_matrix, s_matrix, kernel),
        ["Sparse.Kronecker"] = kernel => Sparse.Kronecker(s_matrix, s_matrix, kernel),
        ["Sparse.MultiplySampled"] = kernel => Sparse.MultiplySampled<float>(s_matrix, new float[2], new float[2], 1, kernel),
        ["Sparse.Galerkin"] = kernel => Sparse.Galerkin(s_matrix, s_matrix, s_matrix, new() { Kernel = kernel }),
        ["Sparse.CountTriangles"] = kernel => Sparse.CountTriangles(s_matrix, kernel),
        ["MatrixMarket.Parse"] = kernel =>
            MatrixMarket.Parse<float>("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\n"u8, new() { Kernel = kernel }),
        ["MatrixMarket.Read"] = kernel =>
            OverFile("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\n", path => MatrixMarket.Read<float>(path, new() { Kernel = kernel })),
        ["ParaRnn.Forward"] = kernel => ParaRnn.Forward<ParaGru, float>(new float[3], new float[3], new float[1], s_steps, new() { Kernel = kernel }),
        ["ParaRnn.Backward"] = kernel =>
            ParaRnn.Backward<ParaGru, float>(new float[3], new float[3], new float[1], new float[1], new float[3], new float[3], s_steps,
            new() { Kernel = kernel }),
        ["AffineScan.Compute"] = kernel => AffineScan.Compute<float>(new float[1], new float[1], new float[1], s_steps, 1, new() { Kernel = kernel }),
        ["AffineScan.Backward"] = kernel => AffineScan.Backward<float>(new float[1], new float[1], new float[1], s_steps, 1, new() { Kernel = kernel }),
        ["LinearLayer.Forward"] = kernel => new LinearLayer("layer", 2, 2, seed: 1).Forward(new float[2], new float[2], kernel),
        ["LinearLayer.Backward"] = kernel => new LinearLayer("layer", 2, 2, seed: 1).Backward(new float[2], new float[2], new float[2], kernel),
        ["LinearCrossEntropy.Loss"] = kernel => LinearCrossEntropy.Loss(new float[2], s_four, [0], s_classifier, new() { Kernel = kernel }),
        ["LinearCrossEntropy.TokenLosses"] = kernel =>
            LinearCrossEntropy.TokenLosses(new float[2], s_four, [0], new float[1], s_classifier, new() { Kernel = kernel }),
        ["LinearCrossEntropy.LogProbabilities"] = kernel =>
            LinearCrossEntropy.LogProbabilities(new float[2], s_four, [0], new float[1], new float[1], s_classifier, new() { Kernel = kernel }),
        ["TensorBleu.Score"] = kernel => TensorBleu.Score(Tokens, References, new double[1], new() { Kernel = kernel }),
        ["TensorBleu.Accumulate"] = kernel => TensorBleu.Accumulate(Tokens, References, new() { Kernel = kernel }),
        ["TensorBleu.CorpusScore"] = kernel => TensorBleu.CorpusScore(Tokens, References, new() { Kernel = kernel }),
        ["BleuScorer.Score"] = kernel => new BleuScorer().Score(Tokens, References, new double[1], new() { Kernel = kernel }),
        ["BleuScorer.Accumulate"] = kernel => new BleuScorer().Accumulate(Tokens, References, new() { Kernel = kernel }),
        ["BleuScorer.Statistics"] = kernel => new BleuScorer().Statistics(Tokens, References, new BleuStatistics[1], new() { Kernel = kernel }),
        ["PreparedReferences..ctor"] = kernel => _ = new PreparedReferences<int>(References, new() { Kernel = kernel }),
    };

    public static TheoryData<string> Doors => [.. s_doors.Keys];

    [Theory]
    [MemberData(nameof(Doors))]
    public void AVariantThatDoesNotExistIsRefused(string door)
    {
        s_doors[door](default);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => s_doors[door](new() { Variant = Nonsense }));
        Assert.Equal(nameof(KernelOptions.Variant), refused.ParamName);
        Assert.Contains(Nonsense, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryDoorThatCanBeToldHowToRunIsTried()
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        IEnumerable<string> found =
            from type in typeof(KernelInfo).Assembly.GetExportedTypes()
            from member in type.GetMethods(declared).Where(method => !method.IsSpecialName).Cast<MethodBase>().Concat(type.GetConstructors(declared))
            where member.GetParameters().Any(parameter => TellsHowToRun(parameter.ParameterType)) && !IsOption(type)
            select $"{type.Name.Split('`')[0]}.{member.Name}";
        Assert.Equal(found.Distinct().Order(StringComparer.Ordinal), s_doors.Keys.Concat(s_withoutKernels).Order(StringComparer.Ordinal));
    }

    // An option type's own members (Equals, with) take options, but run nothing.
    private static bool IsOption(Type type) => type.Name.Split('`')[0].EndsWith("Options", StringComparison.Ordinal);

    private static bool TellsHowToRun(Type type) =>
        type == typeof(KernelOptions) || type.GetProperty("Kernel", BindingFlags.Public | BindingFlags.Instance)?.PropertyType == typeof(KernelOptions);

    private static GptqHessian Hessian()
    {
        var hessian = new GptqHessian(2);
        hessian.Add(s_four);
        return hessian;
    }

    private static void OverCache(Action<KvCache, int> run)
    {
        using var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = 4, PageCount = 4 });
        int sequence = cache.CreateSequence();
        for (int token = 0; token < 8; token++)
            cache.Append(sequence, s_four, s_four);
        run(cache, sequence);
    }

    private static SpAttenState Following(KvCache cache, int sequence)
    {
        var state = new SpAttenState(1);
        state.AddTokens(0, cache.TokenCount(sequence));
        return state;
    }

    private static void OverFile(string text, Action<string> run)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            run(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
