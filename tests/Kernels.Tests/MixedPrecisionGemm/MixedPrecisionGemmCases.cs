using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>The variants, formats and numbers that the tests of the family sweep.</summary>
internal static class MixedPrecisionGemmCases
{
    /// <summary>Backend and instruction set of all variants for one type of activations, of either arithmetic; those absent are reported as skipped.</summary>
    public static TheoryData<string> Variants<T>(QuantizationFormat format = default) where T : unmanaged => [.. Of<T>(format).Select(KeyOf).Distinct()];

    /// <summary>Those of exact arithmetic.</summary>
    public static TheoryData<string> ExactVariants<T>(QuantizationFormat format = default)
        where T : unmanaged => [.. MixedPrecisionGemmVariants<T>.Of(format, GemmArithmetic.Exact).Variants.Select(KeyOf)];

    /// <summary>The arithmetics that a variant has for dense integers.</summary>
    public static GemmArithmetic[] ArithmeticsOf(string variantKey) =>
        [.. Arithmetics.Where(arithmetic => MixedPrecisionGemmVariants<float>.Of(default, arithmetic).Variants.Any(variant => KeyOf(variant) == variantKey))];

    /// <summary>
    /// Options that force a variant, by backend and instruction set, for the weights' type, in software if need be; skips the test if it cannot run at all.
    /// </summary>
    public static KernelOptions Force<T>(string variantKey, QuantizedType type, int threads = 1)
        where T : unmanaged => Force<T>(variantKey, new QuantizationFormat(type), threads);

    /// <summary>The same for a whole format.</summary>
    public static KernelOptions Force<T>(string variantKey, QuantizationFormat format, int threads = 1) where T : unmanaged
    {
        KernelVariant variant = Of<T>(format).First(v => KeyOf(v) == variantKey);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{variant.Identity}: {variant.Reason}");
        return new KernelOptions { Variant = variant.Identity, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    /// <summary>Whether the machine has the instructions, so that nothing runs in software.</summary>
    public static bool IsAvailable<T>(string variantKey)
        where T : unmanaged => Of<T>(default).First(variant => KeyOf(variant) == variantKey).Availability == VariantAvailability.Available;

    private static IEnumerable<KernelVariant> Of<T>(QuantizationFormat format) where T : unmanaged =>
        (format.IsSparse || format.IsCodebook ? [GemmArithmetic.Exact] : Arithmetics)
        .SelectMany(arithmetic => MixedPrecisionGemmVariants<T>.Of(format, arithmetic).Variants);

    private static string KeyOf(KernelVariant variant) => $"{variant.Backend}/{variant.Implementation}";

    public static GemmArithmetic[] Arithmetics { get; } = Enum.GetValues<GemmArithmetic>();

    /// <summary>The types that both arithmetics take.</summary>
    public static QuantizedType[] Types { get; } = [.. Enum.GetValues<QuantizedType>().Where(type => !new QuantizationFormat(type).IsCodebook)];

    /// <summary>The types that only exact arithmetic takes.</summary>
    public static QuantizedType[] Codebooks { get; } = [.. Enum.GetValues<QuantizedType>().Except(Types)];

    /// <summary>Values, scales and zero points of any size, with scales that every scale type holds exactly.</summary>
    public static (byte[] Values, float[] Scales, byte[] ZeroPoints) Quantized(int outputs, int inputs, QuantizationFormat format, int seed)
    {
        var random = new Random(seed);
        int groups = inputs / format.GroupSizeOf(inputs);
        byte[] values = [.. Enumerable.Range(0, outputs * inputs).Select(_ => (byte)random.Next(format.LargestValue + 1))];
        float[] scales = [.. Enumerable.Range(0, outputs * groups).Select(_ => (float)random.Next(1, 9) / 8)];
        return (values, scales, format.HasZeroPoints ? [.. scales.Select(_ => (byte)random.Next(format.LargestValue + 1))] : []);
    }

    public static float[] Normal(int count, int seed, double spread = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    public static T[] Activations<T>(int count, int seed) where T : unmanaged => Element.From<T>(Normal(count, seed).Select(x => (double)x));

    public static QuantizedWeights Weights(int outputs, int inputs, QuantizationFormat format, int seed = 1) =>
        QuantizedWeights.Pack(Normal(outputs * inputs, seed, 0.05), outputs, inputs, format);

    public static T[] Multiply<T>(ReadOnlySpan<T> activations, QuantizedWeights weights, GemmArithmetic arithmetic, in KernelOptions kernel,
        ReadOnlySpan<float> bias = default)
        where T : unmanaged
    {
        var output = new T[activations.Length / weights.InputCount * weights.OutputCount];
        MixedPrecisionGemm.Multiply(activations, weights, output, new() { Arithmetic = arithmetic, Bias = bias, Kernel = kernel });
        return output;
    }
}
