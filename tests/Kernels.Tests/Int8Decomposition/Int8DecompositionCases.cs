using System.Runtime.InteropServices;
using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>The variants and numbers that the tests of the family sweep.</summary>
internal static class Int8DecompositionCases
{
    /// <summary>Backend and instruction set of all variants; those absent are reported as skipped.</summary>
    public static TheoryData<string> Variants { get; } = [.. Int8DecompositionVariants<float>.Table.Entries.ToArray().Select(entry => KeyOf(entry.Variant))];

    /// <summary>The same of the gradients.</summary>
    public static TheoryData<string> GradientVariants { get; } = [.. Int8DecompositionVariants<float>.Backward.Variants.Select(KeyOf)];

    public static OutlierScope[] Scopes { get; } = Enum.GetValues<OutlierScope>();

    /// <summary>Options that force a variant, by backend and instruction set, in software if need be; skips the test if it cannot run at all.</summary>
    public static KernelOptions Force<T>(string variantKey, int threads = 1) where T : unmanaged
    {
        KernelVariant variant = Variant<T>(variantKey);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{variant.Identity}: {variant.Reason}");
        return new KernelOptions { Variant = variant.Identity, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    /// <summary>Whether the machine has the instructions, so that nothing runs in software.</summary>
    public static bool IsAvailable<T>(string variantKey) where T : unmanaged => Variant<T>(variantKey).Availability == VariantAvailability.Available;

    private static KernelVariant Variant<T>(string variantKey) where T : unmanaged =>
        Int8DecompositionVariants<T>.Table.Entries.ToArray().Select(entry => entry.Variant).Single(variant => KeyOf(variant) == variantKey);

    private static string KeyOf(KernelVariant variant) => $"{variant.Backend}/{variant.Implementation}";

    public static float[] Normal(int count, int seed, double spread = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    /// <summary>Normal numbers, of which a few columns stand out (in all rows, or in some), and a few elements on their own.</summary>
    public static T[] Activations<T>(int rows, int inputs, int seed) where T : unmanaged
    {
        float[] values = Normal(rows * inputs, seed);
        var random = new Random(seed);
        for (int column = 0; column < inputs; column += 1 + random.Next(60))
        {
            for (int row = 0; row < rows; row += 1 + random.Next(3))
                values[row * inputs + column] = (random.Next(2) * 2 - 1) * (6 + 20 * random.NextSingle());
        }
        return Element.From<T>(values.Select(x => (double)x));
    }

    public static sbyte[] Bytes(int count, int seed, int smallest = sbyte.MinValue)
    {
        var random = new Random(seed);
        var values = new sbyte[count];
        for (int i = 0; i < count; i++)
            values[i] = (sbyte)random.Next(smallest, sbyte.MaxValue + 1);
        return values;
    }

    public static float[] Positive(int count, int seed) => [.. Normal(count, seed).Select(x => Math.Abs(x) + 0.1f)];

    public static Int8Weights Weights(int outputs, int inputs, int seed = 1) => Int8Weights.Pack(Normal(outputs * inputs, seed, 0.05), outputs, inputs);

    public static float[] AbsMaxOf(Int8Weights weights)
    {
        var absMax = new float[weights.OutputCount];
        weights.CopyAbsMaxTo(absMax);
        return absMax;
    }

    public static T[] Multiply<T>(
        ReadOnlySpan<T> activations, Int8Weights weights, in KernelOptions kernel, float threshold = Int8DecompositionOptions.DefaultThreshold,
        OutlierScope scope = OutlierScope.PerRow, ReadOnlySpan<float> bias = default)
        where T : unmanaged
    {
        var output = new T[activations.Length / weights.InputCount * weights.OutputCount];
        Int8Decomposition.Multiply(activations, weights, output, new() { Threshold = threshold, Outliers = scope, Bias = bias, Kernel = kernel });
        return output;
    }

    public static void AssertSameBits<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual) where T : unmanaged
    {
        ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(expected), b = MemoryMarshal.AsBytes(actual);
        int common = a.CommonPrefixLength(b);
        Assert.True(common == a.Length && common == b.Length, $"byte {common} of {a.Length} and {b.Length} differs");
    }
}
