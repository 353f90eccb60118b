namespace Kernels.Tests;

/// <summary>Integer products, bit for bit against 64-bit sums.</summary>
public sealed class Int8ProductTests
{
    public static TheoryData<string> Variants => Int8DecompositionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryTileEdge(string variant)
    {
        // Rows around the tiles of 1, 2 and 6; outputs around a panel and the halves of one; inputs around a step.
        int[] rows = [1, 2, 3, 5, 6, 7, 8, 13], outputs = [1, 15, 17, 32, 33], inputs = [1, 3, 4, 5, 31, 64, 66];
        foreach (int m in rows)
        {
            foreach (int n in outputs)
            {
                foreach (int k in inputs)
                    Check(variant, m, n, k, seed: m * 1000 + n + k);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RandomShapes(string variant)
    {
        var random = new Random(7);
        // In software a product of 300 x 300 x 300 takes a second.
        int count = Int8DecompositionCases.IsAvailable<float>(variant) ? 12 : 2;
        for (int i = 0; i < count; i++)
            Check(variant, random.Next(1, 301), random.Next(1, 301), random.Next(1, 301), seed: i);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SeveralBlocksOfInputsAndRows(string variant)
    {
        Check(variant, m: 2, n: 3, k: 4 * 1024 + 3, seed: 1);
        Check(variant, m: 199, n: 33, k: 70, seed: 2);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ExtremesDoNotSaturate(string variant)
    {
        // Every combination of extremes over all lanes, alone and in pairs: (-128)(-128) twice fills a 16-bit lane beyond its range.
        sbyte[] extremes = [sbyte.MinValue, -127, 127];
        const int inputs = 72;
        KernelOptions kernel = Int8DecompositionCases.Force<float>(variant);
        foreach (sbyte left in extremes)
        {
            foreach (sbyte right in extremes)
            {
                foreach (sbyte other in extremes)
                {
                    sbyte[] values = [.. Enumerable.Range(0, 7 * inputs).Select(_ => left)];
                    sbyte[] weights = [.. Enumerable.Range(0, 33 * inputs).Select(i => i % 2 == 0 ? right : other)];
                    Check(values, weights, inputs, kernel);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SumsReachTheEndsOfInt32(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<float>(variant);
        Skip.IfNot(Int8DecompositionCases.IsAvailable<float>(variant), "a quarter of a million inputs in software take too long");
        foreach ((int inputs, int left, int right) in new[] { (133_144, 127, 127), (133_144, -127, 127), (131_071, -128, -128), (132_104, -128, 127) })
        {
            sbyte[] values = [.. Enumerable.Repeat((sbyte)left, inputs)], weights = [.. Enumerable.Repeat((sbyte)right, inputs)];
            Check(values, weights, inputs, kernel);
        }
    }

    [Theory]
    [InlineData(128, 512, 499)] // bitsandbytes' shapes for its integer product
    [InlineData(128, 512, 512)]
    public void ShapesOfBitsandbytes(int m, int n, int k) => Check(Int8DecompositionCases.Bytes(m * k, 1), Int8DecompositionCases.Bytes(n * k, 2), k, default);

    private static void Check(string variant, int m, int n, int k, int seed) =>
        Check(Int8DecompositionCases.Bytes(m * k, seed), Int8DecompositionCases.Bytes(n * k, seed + 1), k, Int8DecompositionCases.Force<float>(variant));

    private static void Check(sbyte[] values, sbyte[] weights, int inputs, in KernelOptions kernel)
    {
        int outputs = weights.Length / inputs;
        var products = new int[values.Length / inputs * outputs];
        Int8Weights packed = Int8Weights.FromQuantized(weights, Int8DecompositionCases.Positive(outputs, 1), outputs, inputs);
        Int8Decomposition.MultiplyInt8(values, packed, products, kernel);
        long[] expected = Int8DecompositionOracle.Multiply(values, weights, inputs);
        for (int i = 0; i < products.Length; i++)
            Assert.True(expected[i] == products[i], $"{products.Length / outputs} x {outputs} x {inputs}: product {i} is {products[i]}, not {expected[i]}");
    }
}
