using CommunityToolkit.HighPerformance;

namespace Kernels.Tests;

/// <summary>Bad arguments are refused by name before a byte is written.</summary>
public sealed class MixedPrecisionGemmArgumentTests
{
    private const int Outputs = 6, Inputs = 8;
    private const float Untouched = 42;

    public static TheoryData<string, string> BadCalls => new()
    {
        { "activations are no whole rows", "activations" },
        { "output too short", "output" },
        { "output overlaps activations", "output" },
        { "output overlaps bias", "output" },
        { "strided activations of other width", "activations" },
        { "strided output of other height", "output" },
        { "strided output overlaps activations", "output" },
        { "no weights", "weights" },
        { "bias of other length", "Bias" },
        { "unknown arithmetic", "Arithmetic" },
        { "negative parallelism", "MaxDegreeOfParallelism" },
        { "unknown variant", "Variant" },
        { "variant for other weights", "Variant" },
        { "pack: weights of other size", "weights" },
        { "pack: NaN weight", "weights" },
        { "pack: infinite weight", "weights" },
        { "pack: scale beyond half", "weights" },
        { "pack: group does not divide", "format" },
        { "pack: negative group", "format" },
        { "pack: unknown type", "format" },
        { "pack: unknown scale type", "format" },
        { "pack: no outputs", "outputCount" },
        { "pack: no inputs", "inputCount" },
        { "quantised: too few values", "values" },
        { "quantised: value beyond four bits", "values" },
        { "quantised: too few scales", "scales" },
        { "quantised: NaN scale", "scales" },
        { "quantised: zero points without need", "zeroPoints" },
        { "quantised: zero point beyond four bits", "zeroPoints" },
        { "quantised: group index beyond the groups", "groupIndices" },
        { "quantised: negative group index", "groupIndices" },
        { "quantised: groups of unequal size", "groupIndices" },
        { "quantised: too few group indices", "groupIndices" },
        { "2:4 with eight-bit activations", "Arithmetic" },
        { "2:4 of a codebook", "format" },
        { "2:4 in groups of six", "format" },
        { "2:4 with three weights of four", "values" },
        { "2:4 with scattered groups", "groupIndices" },
        { "codebook with eight-bit activations", "Arithmetic" },
        { "dequantise: span of other size", "weights" },
    };

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void IsRefusedByName(string call, string parameter)
    {
        float[] shared = [.. Enumerable.Repeat(Untouched, 2 * Inputs + 1)], output = [.. Enumerable.Repeat(Untouched, 2 * Outputs)];
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => Make(call, shared, output));
        Assert.Equal(parameter, refused.ParamName);
        Assert.All(shared.Concat(output), value => Assert.Equal(Untouched, value));
    }

    private static void Make(string call, float[] shared, float[] output)
    {
        Span<float> activations = shared.AsSpan(0, 2 * Inputs);
        QuantizationFormat format = new(QuantizedType.U4, 4), withZeros = format with { Type = QuantizedType.U4ZeroPoint },
            sparse = format with { Sparsity = WeightSparsity.TwoOfFour };
        float[] weights = MixedPrecisionGemmCases.Normal(Outputs * Inputs, 1), scales = [.. Enumerable.Repeat(1f, 2 * Outputs)];
        QuantizedWeights packed = QuantizedWeights.Pack(weights, Outputs, Inputs, format);
        var values = new byte[Outputs * Inputs];
        switch (call)
        {
            case "activations are no whole rows": MixedPrecisionGemm.Multiply<float>(shared, packed, output); break;
            case "output too short": MixedPrecisionGemm.Multiply<float>(activations, packed, output.AsSpan(1)); break;
            case "output overlaps activations": MixedPrecisionGemm.Multiply<float>(activations, packed, shared.AsSpan(3)); break;
            case "output overlaps bias": MixedPrecisionGemm.Multiply<float>(activations, packed, output, new() { Bias = output.AsSpan(0, Outputs) }); break;
            case "strided activations of other width": Strided(new(shared, 0, 2, Inputs - 1, 1), new(output, 0, 2, Outputs, 0)); break;
            case "strided output of other height": Strided(new(shared, 0, 2, Inputs, 0), new(output, 0, 1, Outputs, 0)); break;
            case "strided output overlaps activations": Strided(new(shared, 0, 1, Inputs, 0), new(shared, Inputs - 1, 1, Outputs, 0)); break;
            case "no weights": MixedPrecisionGemm.Multiply<float>(activations, null!, output); break;
            case "bias of other length": MixedPrecisionGemm.Multiply<float>(activations, packed, output, new() { Bias = new float[Outputs + 1] }); break;
            case "unknown arithmetic": MixedPrecisionGemm.Multiply<float>(activations, packed, output, new() { Arithmetic = (GemmArithmetic)7 }); break;
            case "negative parallelism":
                MixedPrecisionGemm.Multiply<float>(activations, packed, output,
                new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }); break;
            case "unknown variant": Multiply("mixed_precision_gemm/f32_u4_f32/cpu/abacus"); break;
            case "variant for other weights": Multiply("mixed_precision_gemm/f32_u8_f32/cpu/scalar"); break;
            case "pack: weights of other size": QuantizedWeights.Pack(weights.AsSpan(1), Outputs, Inputs, format); break;
            case "pack: NaN weight": Pack(float.NaN); break;
            case "pack: infinite weight": Pack(float.NegativeInfinity); break;
            case "pack: scale beyond half": Pack(1e7f); break;
            case "pack: group does not divide": QuantizedWeights.Pack(weights, Outputs, Inputs, format with { GroupSize = 3 }); break;
            case "pack: negative group": QuantizedWeights.Pack(weights, Outputs, Inputs, format with { GroupSize = -1 }); break;
            case "pack: unknown type": QuantizedWeights.Pack(weights, Outputs, Inputs, format with { Type = (QuantizedType)9 }); break;
            case "pack: unknown scale type": QuantizedWeights.Pack(weights, Outputs, Inputs, format with { ScaleType = (ScaleType)9 }); break;
            case "pack: no outputs": QuantizedWeights.Pack([], 0, Inputs, format); break;
            case "pack: no inputs": QuantizedWeights.Pack([], Outputs, 0, format); break;
            case "quantised: too few values": QuantizedWeights.FromQuantized(values.AsSpan(1), scales, [], Outputs, Inputs, format); break;
            case "quantised: value beyond four bits": QuantizedWeights.FromQuantized([.. values[1..], 16], scales, [], Outputs, Inputs, format); break;
            case "quantised: too few scales": QuantizedWeights.FromQuantized(values, scales.AsSpan(1), [], Outputs, Inputs, format); break;
            case "quantised: NaN scale": QuantizedWeights.FromQuantized(values, [.. scales[1..], float.NaN], [], Outputs, Inputs, format); break;
            case "quantised: zero points without need": QuantizedWeights.FromQuantized(values, scales, new byte[scales.Length], Outputs, Inputs, format); break;
            case "quantised: zero point beyond four bits":
                QuantizedWeights.FromQuantized(values, scales, [.. new byte[scales.Length - 1], 16], Outputs, Inputs,
                withZeros); break;
            case "quantised: group index beyond the groups": WithGroups([0, 0, 0, 0, 1, 1, 1, 2]); break;
            case "quantised: negative group index": WithGroups([0, 0, 0, 0, 1, 1, 1, -1]); break;
            case "quantised: groups of unequal size": WithGroups([0, 0, 0, 0, 0, 1, 1, 1]); break;
            case "quantised: too few group indices": WithGroups([0, 0, 0, 0]); break;
            case "2:4 with eight-bit activations":
                MixedPrecisionGemm.Multiply<float>(activations, QuantizedWeights.Pack(weights, Outputs, Inputs, sparse), output,
                    new() { Arithmetic = GemmArithmetic.Int8Activations });
                break;
            case "2:4 of a codebook": QuantizedWeights.Pack(weights, Outputs, Inputs, sparse with { Type = QuantizedType.Fp4 }); break;
            case "2:4 in groups of six": QuantizedWeights.Pack(new float[12], 1, 12, sparse with { GroupSize = 6 }); break;
            case "2:4 with three weights of four": QuantizedWeights.FromQuantized(values, scales, [], Outputs, Inputs, sparse); break;
            case "2:4 with scattered groups":
                QuantizedWeights.FromQuantized([.. Enumerable.Repeat((byte)8, values.Length)], scales, [], Outputs, Inputs, sparse, [0, 1, 0, 1, 0, 1, 0, 1]);
                break;
            case "codebook with eight-bit activations":
                MixedPrecisionGemm.Multiply<float>(
                    activations, QuantizedWeights.Pack(weights, Outputs, Inputs, new(QuantizedType.Nf4, 4)), output,
                    new() { Arithmetic = GemmArithmetic.Int8Activations });
                break;
            case "dequantise: span of other size": packed.Dequantize(output); break;
            default: throw new InvalidOperationException(call);
        }

        void Multiply(string variant) =>
            MixedPrecisionGemm.Multiply<float>(shared.AsSpan(0, 2 * Inputs), packed, output, new() { Kernel = new() { Variant = variant } });

        void Strided(ReadOnlySpan2D<float> rows, Span2D<float> products) => MixedPrecisionGemm.Multiply(rows, packed, products);

        void WithGroups(int[] groupIndices) => QuantizedWeights.FromQuantized(values, scales, [], Outputs, Inputs, format, groupIndices);

        void Pack(float bad)
        {
            weights[Outputs * Inputs - 1] = bad;
            QuantizedWeights.Pack(weights, Outputs, Inputs, format);
        }
    }

    [Fact]
    public void OtherElementTypesAreRefused() =>
        Assert.Throws<NotSupportedException>(() =>
        MixedPrecisionGemm.Multiply<double>(new double[8], MixedPrecisionGemmCases.Weights(1, 8, new(GroupSize: 8)), new double[1]));

    [Fact]
    public void NoRowsAreNothingToDo() => MixedPrecisionGemm.Multiply<float>([], MixedPrecisionGemmCases.Weights(1, 8, new(QuantizedType.U4, 8)), []);

    [Fact]
    public void CancelledCallsThrow() => Assert.Throws<OperationCanceledException>(() => MixedPrecisionGemm.Multiply<float>(
        new float[8], MixedPrecisionGemmCases.Weights(1, 8, new(QuantizedType.U4, 8)), new float[1],
        new() { Kernel = new() { CancellationToken = new(canceled: true) } }));

    [Theory]
    [InlineData("native/avx512vnni")]
    [InlineData("native/scalar")]
    [InlineData("cpu/avxvnni")]
    public void ExactArithmeticIsNotWhatVariantsOfEightBitsRun(string variant)
    {
        using QuantizedWeights weights = MixedPrecisionGemmCases.Weights(33, 64, new(GroupSize: 64));
        float[] output = [.. Enumerable.Repeat(7f, 33)];
        ArgumentException refused = Assert.Throws<ArgumentException>(() => MixedPrecisionGemm.Multiply<float>(
            new float[64], weights, output, new() { Kernel = new() { Variant = $"mixed_precision_gemm/f32_u4_f32/{variant}" } }));
        Assert.Equal(nameof(KernelOptions.Variant), refused.ParamName);
        Assert.Contains("mixed_precision_gemm.exact", refused.Message, StringComparison.Ordinal);
        Assert.All(output, value => Assert.Equal(7f, value));
    }
}
