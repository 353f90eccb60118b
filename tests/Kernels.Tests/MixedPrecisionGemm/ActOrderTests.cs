namespace Kernels.Tests;

/// <summary>Groups of scattered inputs (g_idx): the product is that of the matrix as it was before inputs were sorted.</summary>
public abstract class ActOrderTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => MixedPrecisionGemmCases.Variants<T>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ProductsAreThoseOfTheUnsortedMatrix(string variant)
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            foreach ((int outputs, int inputs, int group) in new[] { (70, 96, 32), (9, 60, 12), (65, 300, 150), (5, 7, 1), (3, 9, 9) })
            {
                QuantizationFormat format = new(type, group);
                int[] groups = ShuffledGroups(inputs, group, seed: inputs);
                QuantizedWeights weights = Scattered(outputs, inputs, format, groups, out float[] expected);
                var actual = new float[expected.Length];
                weights.Dequantize(actual);
                Assert.Equal(expected, actual);
                foreach (int rows in new[] { 1, 7 })
                    CheckProducts(variant, weights, groups, rows);
            }
        }
    }

    private static void CheckProducts(string variant, QuantizedWeights weights, int[] groups, int rows)
    {
        KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, weights.Format.Type);
        int inputs = weights.InputCount;
        T[] activations = MixedPrecisionGemmCases.Activations<T>(rows * inputs, 3);
        string context = $"{variant}, {weights.Format}, {rows} x {weights.OutputCount} x {inputs}";
        // The oracle dequantises the weights in the inputs' own order, which the test above holds to the definition.
        if (MixedPrecisionGemmCases.ArithmeticsOf(variant).Contains(GemmArithmetic.Exact))
        {
            T[] exact = MixedPrecisionGemmCases.Multiply<T>(activations, weights, GemmArithmetic.Exact, kernel);
            MixedPrecisionGemmOracle.Of<T>(activations, weights, GemmArithmetic.Exact).Check<T>(exact, context);
        }
        // Eight bits: activations are rounded by sorted groups, so sorting both sides by hand must give the same bits.
        int[] order = [.. Enumerable.Range(0, inputs).OrderBy(i => groups[i])];
        T[] sortedActivations = [.. Enumerable.Range(0, rows * inputs).Select(i => activations[i / inputs * inputs + order[i % inputs]])];
        QuantizedWeights sorted = Sorted(weights, order);
        T[] expected = MixedPrecisionGemmCases.Multiply<T>(sortedActivations, sorted, GemmArithmetic.Int8Activations, kernel);
        T[] actual = MixedPrecisionGemmCases.Multiply<T>(activations, weights, GemmArithmetic.Int8Activations, kernel);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void SortedGroupsNeedNoOrder()
    {
        QuantizationFormat format = new(QuantizedType.U4, 4);
        (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(3, 8, format, 1);
        Assert.False(QuantizedWeights.FromQuantized(values, scales, zeros, 3, 8, format, [0, 0, 0, 0, 1, 1, 1, 1]).HasInputOrder);
        Assert.True(QuantizedWeights.FromQuantized(values, scales, zeros, 3, 8, format, [0, 1, 0, 0, 1, 0, 1, 1]).HasInputOrder);
    }

    private static int[] ShuffledGroups(int inputs, int group, int seed)
    {
        int[] groups = [.. Enumerable.Range(0, inputs).Select(input => input / group)];
        new Random(seed).Shuffle(groups);
        return groups;
    }

    // The definition: w[n, k] = scale[n, g[k]] (q[n, k] - zero[n, g[k]]).
    private static QuantizedWeights Scattered(int outputs, int inputs, QuantizationFormat format, int[] groups, out float[] matrix)
    {
        (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(outputs, inputs, format, seed: 5);
        int groupCount = scales.Length / outputs;
        matrix = [.. values.Select((value, i) =>
        {
            int scale = i / inputs * groupCount + groups[i % inputs];
            return scales[scale] * (value - (zeros.Length > 0 ? zeros[scale] : format.SymmetricZero));
        })];
        return QuantizedWeights.FromQuantized(values, scales, zeros, outputs, inputs, format, groups);
    }

    private static QuantizedWeights Sorted(QuantizedWeights weights, int[] order)
    {
        int inputs = weights.InputCount;
        var values = new byte[weights.OutputCount * inputs];
        var scales = new float[weights.OutputCount * weights.GroupCount];
        var zeros = new byte[weights.Format.HasZeroPoints ? scales.Length : 0];
        weights.Unpack(values, scales, zeros);
        byte[] sorted = [.. values.Select((_, i) => values[i / inputs * inputs + order[i % inputs]])];
        return QuantizedWeights.FromQuantized(sorted, scales, zeros, weights.OutputCount, inputs, weights.Format);
    }
}

public sealed class ActOrderTestsF32 : ActOrderTests<float>;

public sealed class ActOrderTestsBF16 : ActOrderTests<BrainFloat16>;
