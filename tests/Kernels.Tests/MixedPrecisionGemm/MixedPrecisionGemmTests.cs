namespace Kernels.Tests;

/// <summary>Products against the oracle, over formats, shapes and extremes.</summary>
public abstract class MixedPrecisionGemmTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => MixedPrecisionGemmCases.Variants<T>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryFormatAgreesWithTheOracle(string variant)
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            foreach (ScaleType scale in Enum.GetValues<ScaleType>())
            {
                // 384 inputs: the usual groups, whole columns, and divisors that are no multiple of a step or exceed a segment.
                foreach (int group in new[] { 32, 64, 128, QuantizationFormat.WholeColumn, 1, 3, 6, 12, 192 })
                    Check(variant, rows: 7, outputs: 70, inputs: 384, new(type, group, scale), withBias: scale == ScaleType.BFloat16);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void EveryTailAgreesWithTheOracle(string variant)
    {
        // MLAS's grid: every size up to 95 in some role, and rows around the tiles' 4 and 6.
        for (int size = 1; size < 96; size += size < 12 || size > 60 ? 1 : 5)
        {
            var type = (QuantizedType)(size % 3);
            Check(variant, 1, size, size, new(type, QuantizationFormat.WholeColumn));
            Check(variant, 1, 32, size, new(type, 1));
            Check(variant, 1 + size % 13, size, 32, new(type, 32));
            Check(variant, 2, size, size, new(type, QuantizationFormat.WholeColumn), withBias: true);
        }
    }

    private static void Check(string variant, int rows, int outputs, int inputs, QuantizationFormat format, bool withBias = false)
    {
        KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, format.Type);
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, format);
        T[] activations = MixedPrecisionGemmCases.Activations<T>(rows * inputs, rows + inputs);
        float[]? bias = withBias ? MixedPrecisionGemmCases.Normal(outputs, 3) : null;
        foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.ArithmeticsOf(variant))
        {
            T[] actual = MixedPrecisionGemmCases.Multiply<T>(activations, weights, arithmetic, kernel, bias);
            MixedPrecisionGemmOracle.Of<T>(activations, weights, arithmetic, bias)
                .Check<T>(actual, $"{variant}, {arithmetic}, {format}, {rows} x {outputs} x {inputs}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ExtremesDoNotSaturate(string variant)
    {
        // Activations at +-127, all weights at an end of their range: the integer sums are as large as they can be, in every sign.
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            QuantizationFormat format = new(type, QuantizationFormat.WholeColumn);
            int largest = format.LargestValue;
            foreach (int rows in new[] { 1, 5 })
            {
                foreach (int pattern in Enumerable.Range(0, 16))
                {
                    const int outputs = 64, inputs = 512;
                    byte[] values = [.. Enumerable.Range(0, outputs * inputs).Select(i => (byte)(Bit(pattern, i & 1) ? largest : 0))];
                    T[] activations = Element.From<T>(Enumerable.Range(0, rows * inputs).Select(i => Bit(pattern, 2 + (i & 1)) ? 1.0 : -1.0));
                    byte[] zeros = format.HasZeroPoints ? [.. Enumerable.Repeat((byte)(pattern % 2 == 0 ? 0 : largest), outputs)] : [];
                    QuantizedWeights weights = QuantizedWeights.FromQuantized(
                        values, [.. Enumerable.Repeat(0.5f, outputs)], zeros, outputs, inputs, format);
                    T[] actual = MixedPrecisionGemmCases.Multiply<T>(activations, weights, GemmArithmetic.Int8Activations,
                        MixedPrecisionGemmCases.Force<T>(variant, type));
                    MixedPrecisionGemmOracle.Of<T>(activations, weights, GemmArithmetic.Int8Activations)
                        .Check<T>(actual, $"{variant}, {type}, pattern {pattern}, {rows} rows");
                }
            }
        }
    }

    private static bool Bit(int pattern, int index) => ((pattern >> index) & 1) != 0;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void SmallActivationsAreKeptInEightBits(string variant)
    {
        // From scales that are normal numbers down to the last denormal: each activation within 1/254 of the largest and 2^-149, whatever is left of them.
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, type);
            const int rows = 3, outputs = 40, inputs = 160, segment = 80;
            QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(type, segment));
            var dequantised = new float[outputs * inputs];
            weights.Dequantize(dequantised);
            foreach (int power in new[] { -100, -118, -119, -120, -126, -130, -140, -146, -149 })
            {
                T[] activations = Element.From<T>(MixedPrecisionGemmCases.Normal(rows * inputs, power).Select(x => Math.ScaleB(x, power)));
                double[] a = Element.ToDoubles<T>(activations);
                T[] actual = MixedPrecisionGemmCases.Multiply<T>(activations, weights, GemmArithmetic.Int8Activations, kernel);
                for (int i = 0; i < actual.Length; i++)
                {
                    (int row, int output) = Math.DivRem(i, outputs);
                    double expected = 0, bound = 0;
                    for (int input = 0; input < inputs; input++)
                    {
                        double largest = Enumerable.Range(0, segment).Max(j => Math.Abs(a[row * inputs + input / segment * segment + j])),
                            weight = dequantised[output * inputs + input];
                        expected += a[row * inputs + input] * weight;
                        bound += Math.Abs(weight) * (largest / 254 * (1 + 1e-6) + Math.ScaleB(1, -149));
                    }
                    // Two roundings of either segment, and that of the output.
                    bound += Element.StorageRoundoff<T>() * (Math.Abs(expected) + bound) + 4 * Math.ScaleB(1, -149) + Element.SmallestDenormal<T>() + 1e-6
                        * Math.Abs(expected);
                    Assert.InRange(Math.Abs(Element.ToDouble(actual[i]) - expected), 0, bound);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NotANumberStaysInItsRow(string variant)
    {
        QuantizationFormat zeros = new(QuantizedType.U4ZeroPoint, 64);
        (byte[] values, float[] scales, byte[] zeroPoints) = MixedPrecisionGemmCases.Quantized(40, 256, zeros, seed: 3);
        int[] scattered = [.. Enumerable.Range(0, 256).Select(input => input % 4)];
        StaysInItsRow(variant, MixedPrecisionGemmCases.Weights(40, 256, new()), MixedPrecisionGemmCases.ArithmeticsOf(variant));
        StaysInItsRow(variant, MixedPrecisionGemmCases.Weights(40, 256, new(QuantizedType.U8ZeroPoint, 4)), MixedPrecisionGemmCases.ArithmeticsOf(variant));
        StaysInItsRow(variant, QuantizedWeights.FromQuantized(values, scales, zeroPoints, 40, 256, zeros, scattered),
            MixedPrecisionGemmCases.ArithmeticsOf(variant));
        // Codebooks have exact arithmetic alone.
        if (MixedPrecisionGemmCases.ArithmeticsOf(variant).Contains(GemmArithmetic.Exact))
            StaysInItsRow(variant, MixedPrecisionGemmCases.Weights(40, 256, new(QuantizedType.Nf4)), [GemmArithmetic.Exact]);
    }

    private static void StaysInItsRow(string variant, QuantizedWeights weights, GemmArithmetic[] arithmetics)
    {
        T[] activations = MixedPrecisionGemmCases.Activations<T>(3 * 256, 1);
        KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, weights.Format);
        foreach (GemmArithmetic arithmetic in arithmetics)
        {
            T[] clean = MixedPrecisionGemmCases.Multiply<T>(activations, weights, arithmetic, kernel);
            foreach (double special in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
            {
                T[] dirty = [.. activations];
                dirty[256 + 77] = Element.FromDouble<T>(special);
                T[] actual = MixedPrecisionGemmCases.Multiply<T>(dirty, weights, arithmetic, kernel);
                Assert.Equal(clean[..40], actual[..40]);
                Assert.Equal(clean[80..], actual[80..]);
                Assert.All(actual[40..80], value => Assert.False(double.IsFinite(Element.ToDouble(value))));
            }
        }
    }
}

public sealed class MixedPrecisionGemmTestsF32 : MixedPrecisionGemmTests<float>;

public sealed class MixedPrecisionGemmTestsF16 : MixedPrecisionGemmTests<Half>;

public sealed class MixedPrecisionGemmTestsBF16 : MixedPrecisionGemmTests<BrainFloat16>;
