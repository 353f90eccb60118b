namespace Kernels.Tests;

/// <summary>Rounding to nearest, the packed layout, and the way back.</summary>
public sealed class QuantizedWeightsTests
{
    [Theory]
    [InlineData(QuantizedType.U4, 7.5)]
    [InlineData(QuantizedType.U4ZeroPoint, 15)]
    [InlineData(QuantizedType.U8, 127.5)]
    [InlineData(QuantizedType.U8ZeroPoint, 255)]
    public void EveryWeightIsWithinHalfAStep(QuantizedType type, double stepsOfRange)
    {
        foreach (ScaleType scaleType in Enum.GetValues<ScaleType>())
        {
            const int outputs = 70, inputs = 96, group = 24;
            float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 7), back = new float[weights.Length];
            QuantizedWeights.Pack(weights, outputs, inputs, new(type, group, scaleType)).Dequantize(back);
            double scaleRoundoff = Math.ScaleB(1, scaleType switch { ScaleType.Float16 => -11, ScaleType.BFloat16 => -8, _ => -24 });
            for (int start = 0; start < weights.Length; start += group)
            {
                ReadOnlySpan<float> block = weights.AsSpan(start, group);
                double minimum = Math.Min(0, block.ToArray().Min()), maximum = Math.Max(0, block.ToArray().Max());
                double largest = Math.Max(-minimum, maximum), step = (new QuantizationFormat(type).HasZeroPoints ? maximum - minimum : largest) / stepsOfRange;
                for (int i = 0; i < group; i++)
                {
                    // The positive end of a symmetric range is half a step beyond the last value; a rounded zero point shifts the ends by as much again.
                    double bound = step * (new QuantizationFormat(type).HasZeroPoints ? 1 : 0.5) + 2 * scaleRoundoff * largest + 1e-6;
                    Assert.InRange(Math.Abs(block[i] - back[start + i]), 0, bound);
                }
            }
        }
    }

    public static TheoryData<QuantizedType, ScaleType> IntegerTypesAndScales
    {
        get
        {
            var data = new TheoryData<QuantizedType, ScaleType>();
            foreach (QuantizedType type in Enum.GetValues<QuantizedType>())
            {
                foreach (ScaleType scale in Enum.GetValues<ScaleType>())
                    data.Add(type, scale);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(IntegerTypesAndScales))]
    public void SmallWeightsAreKeptOrRefused(QuantizedType type, ScaleType scaleType)
    {
        // Down to the last scale of its type, a group that is not all zeros keeps its weights to half a step of the scale that it has; one whose scale would be
        // 0 is refused.
        const int inputs = 64;
        QuantizationFormat format = new(type, inputs, scaleType);
        int refused = 0;
        for (int power = -5; power >= -149; power--)
        {
            float[] weights = [.. Enumerable.Range(0, inputs).Select(i => (float)Math.ScaleB(Math.Sin(i), power))], back = new float[inputs],
                scales = new float[1];
            QuantizedWeights packed;
            try
            {
                packed = QuantizedWeights.Pack(weights, 1, inputs, format);
            }
            catch (ArgumentOutOfRangeException vanished)
            {
                Assert.Equal("weights", vanished.ParamName);
                Assert.Contains("rounds to 0", vanished.Message, StringComparison.Ordinal);
                refused++;
                continue;
            }
            Assert.Equal(0, refused);
            packed.Dequantize(back);
            packed.Unpack(new byte[inputs], scales, format.HasZeroPoints ? new byte[1] : []);
            Assert.NotEqual(0, scales[0]);
            // Half a step, and as much again where a zero point or the end of the range is rounded; the widest gap of a codebook is 1/3 of it.
            double step = format.IsCodebook ? scales[0] / 3.0 : scales[0];
            for (int i = 0; i < inputs; i++)
                Assert.InRange(Math.Abs(weights[i] - back[i]), 0, step * (format.HasZeroPoints ? 1 : 0.5) + (format.IsCodebook ? 0.5 : 1.01) * step
                    + float.Epsilon);
            Assert.Contains(back, weight => weight != 0);
        }
        Assert.True(refused > 0 || format.IsCodebook || scaleType != ScaleType.Float16, $"{type}, {scaleType}");
    }

    [Fact]
    public void AScaleThatItsTypeRoundsToZeroIsRefused()
    {
        float[] weights = [.. Enumerable.Range(0, 64).Select(i => 2e-7f * MathF.Sin(i))], back = new float[64];
        Assert.Equal("weights", Assert.Throws<ArgumentOutOfRangeException>(() => QuantizedWeights.Pack(weights, 1, 64, new(QuantizedType.U4, 64))).ParamName);
        // One such group among others, and given scales, likewise; with wider scales there is no need.
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            QuantizedWeights.Pack([.. MixedPrecisionGemmCases.Normal(64, 1), .. weights], 2, 64, new(QuantizedType.U4, 32)));
        Assert.Equal("scales", Assert.Throws<ArgumentOutOfRangeException>(() =>
            QuantizedWeights.FromQuantized(new byte[64], [2e-8f], [], 1, 64, new(QuantizedType.U4, 64))).ParamName);
        QuantizedWeights.Pack(weights, 1, 64, new(QuantizedType.U4, 64, ScaleType.Float32)).Dequantize(back);
        for (int i = 0; i < 64; i++)
            Assert.InRange(Math.Abs(weights[i] - back[i]), 0, 2e-7 / 15 * (1 + 1e-6));
        // Zeros are zeros.
        QuantizedWeights.Pack(new float[64], 1, 64, new(QuantizedType.U4, 64)).Dequantize(back);
        Assert.All(back, weight => Assert.Equal(0, weight));
    }

    [Fact]
    public void TheDefaultFormatIsTheOneWithoutArguments()
    {
        Assert.Equal(new QuantizationFormat(), default);
        Assert.Equal(new QuantizationFormat(QuantizedType.U4), default);
        float[] weights = MixedPrecisionGemmCases.Normal(2 * 256, 1);
        QuantizedWeights packed = QuantizedWeights.Pack(weights, 2, 256, default);
        Assert.Equal((2, (int?)QuantizationFormat.DefaultGroupSize), (packed.GroupCount, packed.Format.GroupSize));
        AssertSame(QuantizedWeights.Pack(weights, 2, 256, new(QuantizedType.U4, 128)), packed);
        Assert.Equal(1, QuantizedWeights.Pack(weights, 2, 256, new(GroupSize: QuantizationFormat.WholeColumn)).GroupCount);
        Assert.Equal(new GptqOptions(), default);
    }

    [Fact]
    public void SizesBeyondAnArrayAreRefusedByName()
    {
        // Products that 32 bits cannot hold, padding that they cannot, and a row of activations that no scratch could hold.
        foreach ((int outputs, int inputs, int group, string name) in new[]
            { (int.MaxValue, int.MaxValue, 1, "outputCount"), (65536, 65536, 128, "outputCount"), (1, int.MaxValue, 1, "inputCount"),
                (1, 1 << 28, 1, "inputCount"), (1 << 20, 4096, 1, "outputCount") })
            Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => QuantizedWeights.Pack([], outputs, inputs, new(QuantizedType.U4, group))).ParamName);
    }

    [Fact]
    public void ClosedFormDataKeepsItsRootMeanSquare()
    {
        // llama.cpp's data and limit for its four-bit formats: 0.1 + 2 cos(i), n = 4096, error below 0.002 where error = sqrt(sum d^2) / n.
        const int count = 4096;
        float[] weights = [.. Enumerable.Range(0, count).Select(i => 0.1f + 2 * MathF.Cos(i))], back = new float[count];
        QuantizedWeights.Pack(weights, 1, count, new(QuantizedType.U4, 32)).Dequantize(back);
        double squares = weights.Zip(back, (w, b) => (double)(w - b) * (w - b)).Sum();
        Assert.InRange(Math.Sqrt(squares) / count, 0, 0.002);
    }

    [Fact]
    public void ClosedFormDataKeepTheirDotProducts()
    {
        // llama.cpp's other limit: the dot product with 0.1 + 2 cos(i + 1), activations in eight bits, is off by less than 0.02 n.
        const int count = 4096;
        float[] weights = [.. Enumerable.Range(0, count).Select(i => 0.1f + 2 * MathF.Cos(i))],
            activations = [.. Enumerable.Range(0, count).Select(i => 0.1f + 2 * MathF.Cos(i + 1))];
        double exact = weights.Zip(activations, (w, a) => (double)w * a).Sum();
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            QuantizedWeights packed = QuantizedWeights.Pack(weights, 1, count, new(type, 32));
            foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.Arithmetics)
                Assert.InRange(Math.Abs(MixedPrecisionGemmCases.Multiply<float>(activations, packed, arithmetic, default)[0] - exact) / count, 0, 0.02);
        }
    }

    [Fact]
    public void QuantisedValuesComeBackExactly()
    {
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            foreach (int group in new[] { 1, 5, 15, 45, QuantizationFormat.WholeColumn })
            {
                const int outputs = 130, inputs = 45;
                QuantizationFormat format = new(type, group);
                int groups = group == 0 ? 1 : inputs / group;
                (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(outputs, inputs, format, seed: group);
                QuantizedWeights weights = QuantizedWeights.FromQuantized(values, scales, zeros, outputs, inputs, format);
                var back = new float[values.Length];
                weights.Dequantize(back);
                for (int i = 0; i < back.Length; i++)
                {
                    int scale = i / inputs * groups + i % inputs / (inputs / groups), zero = zeros.Length > 0 ? zeros[scale] : format.SymmetricZero;
                    Assert.Equal(scales[scale] * (values[i] - zero), back[i]);
                }
            }
        }
    }

    [Fact]
    public void PackingTakesNoMemoryButThePackedBytesAndAnyThreadsPackTheSame()
    {
        const int outputs = 1000, inputs = 1280;
        float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 9);
        foreach (QuantizedType type in Enum.GetValues<QuantizedType>())
        {
            _ = QuantizedWeights.Pack(weights, outputs, inputs, new(type));
            long before = GC.GetAllocatedBytesForCurrentThread();
            QuantizedWeights packed = QuantizedWeights.Pack(weights, outputs, inputs, new(type), new() { MaxDegreeOfParallelism = 1 });
            // The object and its owner, and what the collector counts ahead: it hands out memory in pieces of 8 KiB. The packed bytes are no part of the
            // managed heap.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 16384);
            foreach (int threads in new[] { 0, 2, 3, 7 })
                AssertSame(packed, QuantizedWeights.Pack(weights, outputs, inputs, new(type), new() { MaxDegreeOfParallelism = threads }));
        }
    }

    internal static void AssertSame(QuantizedWeights expected, QuantizedWeights actual)
    {
        Assert.Equal((expected.Format, expected.OutputCount, expected.InputCount, expected.HasInputOrder),
            (actual.Format, actual.OutputCount, actual.InputCount, actual.HasInputOrder));
        Assert.True(BytesOf(expected).SequenceEqual(BytesOf(actual)), $"{expected.Format}: the packed bytes differ");
    }

    internal static unsafe byte[] BytesOf(QuantizedWeights weights)
    {
        using PackedLease lease = weights.Acquire();
        return new ReadOnlySpan<byte>(lease.Start, (int)weights.ByteCount).ToArray();
    }

    [Fact]
    public void PackedSizeIsAsComputed()
    {
        const int outputs = 4096, inputs = 256;
        long weights = outputs * inputs;
        Assert.Equal(weights / 2 + weights / 128 * 2, Size(new(QuantizedType.U4, 128)));
        Assert.Equal(0.515625 * weights, Size(new(QuantizedType.U4, 128)));
        Assert.Equal(weights / 2 + weights / 32 * 4, Size(new(QuantizedType.U4, 32, ScaleType.Float32)));
        Assert.Equal(weights / 2 + weights / 64 * 3, Size(new(QuantizedType.U4ZeroPoint, 64, ScaleType.BFloat16)));
        Assert.Equal(weights + outputs * 2, Size(new(QuantizedType.U8, QuantizationFormat.WholeColumn)));

        static long Size(QuantizationFormat format) => QuantizedWeights.Pack(new float[outputs * inputs], outputs, inputs, format).ByteCount;
    }

    [Fact]
    public void ZerosStayZeros()
    {
        foreach (QuantizedType type in Enum.GetValues<QuantizedType>())
        {
            float[] back = [1, 2, 3];
            QuantizedWeights.Pack(new float[3], 1, 3, new(type, 3)).Dequantize(back);
            Assert.Equal([0, 0, 0], back);
        }
    }
}
