using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Tests;

/// <summary>2:4 sparsity: what is pruned, how it is packed, and that the way back is exact.</summary>
public sealed class SparseWeightsTests
{
    [Fact]
    public void TheTwoLargestOfFourAreKept()
    {
        float[] weights = [1, -4, 3, 2, 0, 0, 0, 5, 7, 7, -7, 7, 0, 1, 1, 1];
        TwoOfFour.Prune(weights);
        Assert.Equal([0, -4, 3, 0, 0, 0, 0, 5, 7, 7, 0, 0, 0, 1, 1, 0], weights);
    }

    [Fact]
    public void EveryPatternComesBack()
    {
        const byte zero = 8;
        for (int pattern = 0; pattern < 16; pattern++)
        {
            if (int.PopCount(pattern) > TwoOfFour.Kept)
                continue;
            byte[] sixteen = [.. Enumerable.Range(0, 16).Select(i => (pattern >> (i % 4) & 1) == 0 ? zero : (byte)(i == 8 ? 9 : i))], back = new byte[16];
            (ulong values, ushort positions) = TwoOfFour.Compress(sixteen, zero);
            TwoOfFour.Expand(values, positions, zero, back);
            Assert.Equal(sixteen, back);
            for (int slot = 0; slot < 8; slot += 2)
                Assert.NotEqual((positions >> (2 * slot)) & 3, (positions >> (2 * slot + 2)) & 3);
        }
    }

    [Fact]
    public void PackedWeightsAreThePrunedOnesRounded()
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            foreach (int group in new[] { 4, 12, 16, 44, QuantizationFormat.WholeColumn })
            {
                const int outputs = 70, inputs = 528;
                float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 3), dense = new float[weights.Length], sparse = new float[weights.Length];
                QuantizedWeights.Pack(weights, outputs, inputs, new(type, group)).Dequantize(dense);
                QuantizedWeights packed = QuantizedWeights.Pack(weights, outputs, inputs, new(type, group, Sparsity: WeightSparsity.TwoOfFour));
                packed.Dequantize(sparse);
                TwoOfFour.Prune(weights);
                for (int i = 0; i < weights.Length; i++)
                    dense[i] = weights[i] == 0 ? 0 : dense[i];
                Assert.True(dense.AsSpan().SequenceEqual(sparse), $"{packed.Format}");
                var values = new byte[weights.Length];
                var scales = new float[outputs * packed.GroupCount];
                var zeros = new byte[packed.Format.HasZeroPoints ? scales.Length : 0];
                packed.Unpack(values, scales, zeros);
                QuantizedWeightsTests.AssertSame(packed, QuantizedWeights.FromQuantized(values, scales, zeros, outputs, inputs, packed.Format));
            }
        }
    }

    [Fact]
    public void PackedSizeIsAsComputed()
    {
        // Two values and two positions of 2 bits for each four: 3 bits of a weight in four bits, 5 in eight; and a scale of 2 bytes for 128.
        const int outputs = 128, inputs = 256, weights = outputs * inputs;
        Assert.Equal(weights * 3 / 8 + weights / 128 * 2, Size(QuantizedType.U4));
        Assert.Equal(weights * 5 / 8 + weights / 128 * 2, Size(QuantizedType.U8));

        static long Size(QuantizedType type) =>
            QuantizedWeights.Pack(new float[weights], outputs, inputs, new(type, Sparsity: WeightSparsity.TwoOfFour)).ByteCount;
    }
}

/// <summary>Products with 2:4 weights on every variant.</summary>
public abstract class SparseProductTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => MixedPrecisionGemmCases.Variants<T>(new(Sparsity: WeightSparsity.TwoOfFour));

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AgreeWithTheOracleAndNotWithTheirBatch(string variant)
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            foreach ((int rows, int outputs, int inputs, int group) in new[] { (1, 1, 4, 4), (9, 65, 128, 64), (6, 33, 60, 12), (5, 130, 320, 160),
                (4, 64, 24, 8) })
            {
                QuantizationFormat format = new(type, group, Sparsity: WeightSparsity.TwoOfFour);
                KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, format);
                QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, format);
                T[] activations = MixedPrecisionGemmCases.Activations<T>(rows * inputs, rows);
                T[] actual = MixedPrecisionGemmCases.Multiply<T>(activations, weights, GemmArithmetic.Exact, kernel);
                MixedPrecisionGemmOracle.Of<T>(activations, weights, GemmArithmetic.Exact)
                    .Check<T>(actual, $"{variant}, {format}, {rows} x {outputs} x {inputs}");
                for (int row = 0; row < rows; row++)
                    Assert.Equal(actual[(row * outputs)..((row + 1) * outputs)],
                        MixedPrecisionGemmCases.Multiply<T>(activations.AsSpan(row * inputs, inputs), weights, GemmArithmetic.Exact, kernel));
            }
        }
    }
}

public sealed class SparseProductTestsF32 : SparseProductTests<float>;

public sealed class SparseProductTestsF16 : SparseProductTests<Half>;

public sealed class SparseProductTestsBF16 : SparseProductTests<BrainFloat16>;
