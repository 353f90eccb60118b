namespace Kernels.Tests;

/// <summary>Products with quantised weights, their making, and the loss of a classifier.</summary>
internal static partial class OptionCases
{
    // Three outputs of sixteen inputs, two rows of activations; column 3 of the first row is an outlier.
    private static readonly QuantizationFormat s_format = new(QuantizedType.U4, GroupSize: 8);
    private static readonly float[] s_weights = Waves(48, 1), s_activations = [.. Waves(3, 2), 9, .. Waves(28, 3)];

    public static IEnumerable<OptionCase> Products() =>
    [
        OptionCase.Of<GemmArithmetic>("MixedPrecisionGemmOptions.Arithmetic", value => Packed(new() { Arithmetic = value }),
            (GemmArithmetic.Exact, GemmArithmetic.Int8Activations), Enum.GetValues<GemmArithmetic>(),
            [(GemmArithmetic)(-1), GemmArithmetic.Int8Activations + 1]),
        OptionCase.Of<float[]>("MixedPrecisionGemmOptions.Bias", bias => Packed(new() { Bias = bias }), ([], [1, 2, 3]), [[], new float[3]],
            [new float[2], new float[4]]),
        OptionCase.Kernel("MixedPrecisionGemmOptions", kernel => Packed(new() { Kernel = kernel })),

        OptionCase.Of<float>("Int8DecompositionOptions.Threshold", value => Decomposed(new() { Threshold = value }), (6, 0), [0, float.Epsilon, float.MaxValue],
            [-1, -float.Epsilon, float.NaN, float.PositiveInfinity, float.NegativeInfinity]),
        OptionCase.Of<OutlierScope>("Int8DecompositionOptions.Outliers", value => Decomposed(new() { Outliers = value }),
            (OutlierScope.PerRow, OutlierScope.BatchColumns), Enum.GetValues<OutlierScope>(), [(OutlierScope)(-1), OutlierScope.BatchColumns + 1]),
        OptionCase.Of<float[]>("Int8DecompositionOptions.Bias", bias => Decomposed(new() { Bias = bias }), ([], [1, 2, 3]), [[], new float[3]],
            [new float[2], new float[4]]),
        OptionCase.Kernel("Int8DecompositionOptions", kernel => Decomposed(new() { Kernel = kernel })),

        OptionCase.Of<double?>("GptqOptions.Damping", value => Gptq(new() { Damping = value }), (null, 1000), [null, double.Epsilon, 1],
            [-1, -double.Epsilon, .. s_notFinite]),
        OptionCase.Of<bool>("GptqOptions.ActOrder", value => Gptq(new() { ActOrder = value }), (false, true), [false, true], []),
        OptionCase.Kernel("GptqOptions", kernel => Gptq(new() { Kernel = kernel }), hasVariants: false),

        OptionCase.Of<float[]>("LinearCrossEntropyOptions.Bias", bias => Loss(new() { Bias = bias }), ([], [1, 2, 3]), [[], new float[3]],
            [new float[2], new float[4]]),
        OptionCase.Of<int?>("LinearCrossEntropyOptions.IgnoredTarget", value => Loss(new() { IgnoredTarget = value }), (null, 2),
            [null, 0, int.MinValue, int.MaxValue], []),
        OptionCase.Kernel("LinearCrossEntropyOptions", kernel => Loss(new() { Kernel = kernel })),
    ];

    private static string Packed(MixedPrecisionGemmOptions options)
    {
        float[] output = new float[6];
        MixedPrecisionGemm.Multiply<float>(s_activations, QuantizedWeights.Pack(s_weights, 3, 16, s_format), output, options);
        return OptionCase.Text<float>(output);
    }

    private static string Decomposed(Int8DecompositionOptions options)
    {
        float[] output = new float[6];
        Int8Decomposition.Multiply<float>(s_activations, Int8Weights.Pack(s_weights, 3, 16), output, options);
        return OptionCase.Text<float>(output);
    }

    private static string Gptq(GptqOptions options)
    {
        var hessian = new GptqHessian(16);
        hessian.Add(Waves(64 * 16, 4));
        float[] weights = new float[48];
        QuantizedWeights.PackGptq(s_weights, 3, 16, s_format, hessian, options).Dequantize(weights);
        return OptionCase.Text<float>(weights);
    }

    private static string Loss(LinearCrossEntropyOptions options) =>
        $"{LinearCrossEntropy.Loss(s_activations, s_weights, [1, 2], new(2, 16, 3), options)}";
}
