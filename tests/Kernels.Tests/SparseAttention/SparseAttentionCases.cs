using System.Runtime.InteropServices;
using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>The variants, shapes and numbers that the tests of the family sweep.</summary>
internal static class SparseAttentionCases
{
    /// <summary>Backends and instruction sets of all variants; those absent are reported as skipped.</summary>
    public static TheoryData<string> Variants => new(Names);

    public static IEnumerable<string> Names => SparseAttentionVariants.Of(KeyValueType.Float32).Entries.ToArray().Select(entry => NameOf(entry.Variant));

    public static string NameOf(KernelVariant variant) => $"{variant.Backend}/{variant.Implementation}";

    /// <summary>Options that force the variant of that name, in software if need be; skips the test if it cannot run at all.</summary>
    public static KernelOptions Force(string name, KeyValueType type = KeyValueType.Float32, int threads = 1)
    {
        KernelVariant variant = SparseAttentionVariants.Of(type).Entries.ToArray().Select(entry => entry.Variant).Single(v => NameOf(v) == name);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{variant.Identity}: {variant.Reason}");
        Skip.If(
            variant.Availability == VariantAvailability.Emulated && !System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated,
            $"{variant.Identity}: without SIMD of any width, software vectors take minutes; the runs with SIMD emulate it");
        return new KernelOptions { Variant = variant.Identity, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    public static float[] Normal(int count, int seed, double spread = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    /// <summary>Queries, keys and values of one sequence.</summary>
    public static (float[] Queries, float[] Keys, float[] Values) Inputs(AttentionShape shape, int queries, int keys, int seed = 1) =>
        (Normal(queries * shape.QueryHeads * shape.HeadDimension, seed), Normal(keys * shape.KeyValueHeads * shape.HeadDimension, seed + 100),
        Normal(keys * shape.KeyValueHeads * shape.HeadDimension, seed + 200));

    public static SparseAttentionOracle Oracle(AttentionShape shape, float[] queries, float[] keys, float[] values) =>
        new(shape, queries, Element.ToDoubles<float>(keys), Element.ToDoubles<float>(values));

    /// <summary>
    /// Errors against the oracle. Naive attention in float loses about (d + N) u of the sizes of products and of the sum; the bound is far below and the same
    /// for all cases: 4e-6 of the largest value.
    /// </summary>
    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, string what, double tolerance = 4e-6)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 1;
        foreach (double value in expected)
            largest = double.IsFinite(value) ? Math.Max(largest, Math.Abs(value)) : largest;
        for (int i = 0; i < expected.Length; i++)
        {
            bool same = double.IsFinite(expected[i]) ? Math.Abs(expected[i] - actual[i]) <= tolerance * largest : expected[i].Equals((double)actual[i]);
            Assert.True(same, $"{what}: element {i} is {actual[i]:R} instead of {expected[i]:R}");
        }
    }

    /// <summary>
    /// The rule: the largest error is at most twice that of naive attention in float. Where that is exact by luck, or has few terms, as many units of
    /// the largest value are allowed as a sum of probabilities, its quotient, a product and its sum round: four.
    /// </summary>
    public static void AssertAsGoodAsNaive(SparseAttentionOracle oracle, ReadOnlySpan<float> actual, string what)
    {
        const double unit = 1.0 / (1 << 24), units = 4;
        double[] exact = oracle.Output, naive = oracle.NaiveOutput();
        double largest = 0, error = 0, naiveError = 0;
        for (int i = 0; i < exact.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(exact[i]));
            error = Math.Max(error, Math.Abs(actual[i] - exact[i]));
            naiveError = Math.Max(naiveError, Math.Abs(naive[i] - exact[i]));
        }
        Assert.True(error <= 2 * naiveError + units * unit * largest,
            $"{what}: the error {error:R} is more than twice the naive {naiveError:R}; the largest value is {largest:R}");
    }

    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        int common = MemoryMarshal.AsBytes(expected).CommonPrefixLength(MemoryMarshal.AsBytes(actual)) / sizeof(float);
        Assert.True(expected.Length == actual.Length && common == expected.Length,
            $"{what}: element {common} of {expected.Length} and {actual.Length} differs");
    }
}
