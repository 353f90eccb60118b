using Kernels.Core.Int8Decomposition;

namespace Kernels.Tests;

/// <summary>The rule by which numbers become eight bits, and the way back.</summary>
public abstract class Int8QuantizationTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => Int8DecompositionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RowsFollowTheRule(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        foreach (int columns in new[] { 1, 7, 16, 17, 130, 1024, 1031 })
        {
            foreach (float threshold in new[] { 0f, 2f, 3f, 6f })
            {
                const int rows = 5;
                T[] matrix = Int8DecompositionCases.Activations<T>(rows, columns, columns);
                var values = new sbyte[matrix.Length];
                var absMax = new float[rows];
                Int8Decomposition.QuantizeRows<T>(matrix, columns, values, absMax, threshold, kernel);
                double[] numbers = Element.ToDoubles<T>(matrix);
                for (int row = 0; row < rows; row++)
                {
                    (sbyte[] expected, float largest) = Int8DecompositionOracle.Quantize(numbers[(row * columns)..((row + 1) * columns)], threshold);
                    Assert.Equal(largest, absMax[row]);
                    Assert.Equal(expected, values[(row * columns)..((row + 1) * columns)]);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ColumnsAreRowsOfTheTranspose(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        foreach ((int rows, int columns) in new[] { (1, 1), (9, 33), (3, 1040) })
        {
            T[] matrix = Int8DecompositionCases.Activations<T>(rows, columns, 3), transposed = new T[matrix.Length];
            for (int i = 0; i < matrix.Length; i++)
                transposed[i % columns * rows + i / columns] = matrix[i];
            sbyte[] values = new sbyte[matrix.Length], expected = new sbyte[matrix.Length], byRows = new sbyte[matrix.Length],
                byColumns = new sbyte[matrix.Length];
            float[] absMax = new float[columns], expectedMax = new float[columns], rowMax = new float[rows], columnMax = new float[columns];
            Int8Decomposition.QuantizeColumns<T>(matrix, columns, values, absMax, 6, kernel);
            Int8Decomposition.QuantizeRows<T>(transposed, rows, expected, expectedMax, 6, kernel);
            Assert.Equal(expectedMax, absMax);
            for (int i = 0; i < matrix.Length; i++)
                Assert.Equal(expected[i % columns * rows + i / columns], values[i]);
            Int8Decomposition.DoubleQuantize<T>(matrix, columns, byRows, rowMax, byColumns, columnMax, 6, kernel);
            Assert.Equal(values, byColumns);
            Assert.Equal(absMax, columnMax);
            Int8Decomposition.QuantizeRows<T>(matrix, columns, expected, new float[rows], 6, kernel);
            Assert.Equal(expected, byRows);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RowsWithoutAScaleAreZeros(string variant)
    {
        // Zeros; outliers alone; NaN and infinities.
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        const int columns = 19;
        double[] rows = [0, 7, double.NaN, double.PositiveInfinity, double.NegativeInfinity];
        T[] matrix = Element.From<T>(rows.SelectMany(value => Enumerable.Repeat(value, columns)));
        sbyte[] values = [.. Enumerable.Repeat((sbyte)1, matrix.Length)];
        var absMax = new float[rows.Length];
        Int8Decomposition.QuantizeRows<T>(matrix, columns, values, absMax, 6, kernel);
        Assert.All(values, value => Assert.Equal(0, value));
        Assert.All(absMax, largest => Assert.Equal(0, largest));
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void TheWayBackIsWithinHalfAStep(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        const int rows = 3, columns = 1100;
        T[] matrix = Element.From<T>(Int8DecompositionCases.Normal(rows * columns, 1).Select(x => (double)x)), back = new T[matrix.Length];
        var values = new sbyte[matrix.Length];
        var absMax = new float[rows];
        Int8Decomposition.QuantizeRows<T>(matrix, columns, values, absMax, 0, kernel);
        Int8Decomposition.Dequantize<T>(values, columns, absMax, back, kernel);
        for (int i = 0; i < matrix.Length; i++)
        {
            double step = absMax[i / columns] / 127, x = Element.ToDouble(matrix[i]);
            Assert.InRange(Math.Abs(Element.ToDouble(back[i]) - x), 0, step * (0.5 + 1e-4) + Element.StorageRoundoff<T>() * Math.Abs(x) * 1.01);
        }
    }
}

public sealed class Int8QuantizationTestsF32 : Int8QuantizationTests<float>
{
    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void TiesGoToEven(string variant)
    {
        // With 127 as the largest the factor is 1: halves stay halves.
        float[] matrix = [127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, 125.5f, -126.5f, 3.5f, 0.49999997f, 64.5f, 65.5f, -64.5f, 1, 0.5f, 1.5f];
        sbyte[] expected = [127, 0, 2, 2, 0, -2, -2, 126, 126, -126, 4, 0, 64, 66, -64, 1, 0, 2], values = new sbyte[matrix.Length];
        Int8Decomposition.QuantizeRows<float>(matrix, matrix.Length, values, new float[1], 0, Int8DecompositionCases.Force<float>(variant));
        Assert.Equal(expected, values);
        Assert.Equal(expected, Quantised(Int8Weights.Pack(matrix, 1, matrix.Length)));
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void TheSmallestNumbersKeepTheirRatios(string variant)
    {
        // 127 / s exceeds float below 2^-121, and the smallest denormal is 2^-149.
        foreach (double unit in new[] { Math.ScaleB(1, -149), Math.ScaleB(1, -130), Math.ScaleB(1, -122), Math.ScaleB(1, -115) })
        {
            float[] matrix = [.. new[] { 127, -64, 1, 0, 100 }.Select(x => (float)(x * unit))];
            var values = new sbyte[5];
            Int8Decomposition.QuantizeRows<float>(matrix, 5, values, new float[1], 0, Int8DecompositionCases.Force<float>(variant));
            Assert.Equal<sbyte>([127, -64, 1, 0, 100], values);
            Assert.Equal(values, Quantised(Int8Weights.Pack(matrix, 1, 5)));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 7)]
    [InlineData(32, 16)]
    [InlineData(65, 1023)]
    [InlineData(3, 1029)]
    [InlineData(40, 2066)]
    public void PackedWeightsFollowTheRuleOnAnyNumberOfThreads(int outputs, int inputs)
    {
        float[] weights = Int8DecompositionCases.Normal(outputs * inputs, 3, 0.1);
        var expected = new sbyte[weights.Length];
        var largest = new float[outputs];
        for (int i = 0; i < weights.Length; i++)
            largest[i / inputs] = Math.Max(largest[i / inputs], Math.Abs(weights[i]));
        for (int i = 0; i < weights.Length; i++)
        {
            (float raise, float factor) = AbsMaxRule.FactorsOf(largest[i / inputs]);
            expected[i] = AbsMaxRule.Quantize(weights[i], raise, factor);
        }
        foreach (int threads in new[] { 1, 2, 7 })
        {
            var options = new KernelOptions { MaxDegreeOfParallelism = threads };
            foreach (Int8Weights packed in new[] { Int8Weights.Pack(weights, outputs, inputs, options),
                Int8Weights.FromQuantized(expected, largest, outputs, inputs, options) })
            {
                Assert.Equal(expected, Quantised(packed));
                Assert.Equal(largest, Int8DecompositionCases.AbsMaxOf(packed));
                Assert.Equal(Enumerable.Range(0, outputs).Select(output => expected[(output * inputs)..((output + 1) * inputs)].Sum(value => value)),
                    SumsOf(packed));
            }
        }
    }

    private static unsafe int[] SumsOf(Int8Weights packed)
    {
        using PackedLease lease = packed.Acquire();
        return new ReadOnlySpan<int>(packed.Sums, packed.OutputCount).ToArray();
    }

    /// <summary>A scale that underflows is refused by the output that it would turn into zeros; the smallest that does not is held.</summary>
    [Theory]
    [InlineData(float.Epsilon, false)]
    [InlineData(8e-44f, false)]
    [InlineData(1e-43f, true)]
    public void AScaleThatUnderflowsIsRefused(float largest, bool isHeld)
    {
        float[] weights = [1, -2, largest, -largest];
        if (isHeld)
        {
            using Int8Weights packed = Int8Weights.Pack(weights, 2, 2);
            var held = new float[4];
            packed.Dequantize(held);
            Assert.True(held[2] > 0 && held[3] < 0, $"{held[2]}, {held[3]}");
            return;
        }
        ArgumentException refused = Assert.Throws<ArgumentException>("weights", () => Int8Weights.Pack(weights, 2, 2));
        Assert.Contains("output 1", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("absMax", () => Int8Weights.FromQuantized([1, 2, 127, -127], [2, largest], 2, 2));
    }

    [Fact]
    public void AnOutlierStandsAtTheThresholdAndAbove()
    {
        // Two rows of four: below it; at it, in both signs; NaN, which is below nothing.
        float[] matrix = [1, 5.9999995f, 2, 6, -1, -6, float.NaN, 3];
        var columns = new int[4];
        Assert.Equal(3, Int8Decomposition.FindOutlierColumns<float>(matrix, 4, 6, columns));
        Assert.Equal([1, 2, 3], columns[..3]);
        Assert.Equal(1, Int8Decomposition.FindOutlierColumns<float>(matrix, 4, 0, columns));
        Assert.Equal(2, columns[0]);
    }

    /// <summary>Columns with an outlier in the first or the last row, around every length that vectors and threads cut; the other rows hide nothing.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(1025)]
    public void EveryOutlierColumnIsFoundOnAnyNumberOfThreads(int columnCount)
    {
        const int rows = 5;
        var matrix = new Half[rows * columnCount];
        int[] expected = [.. Enumerable.Range(0, columnCount).Where(column => column % 3 == 0 || column == columnCount - 1)];
        foreach (int column in expected)
            matrix[(column % 2 == 0 ? 0 : rows - 1) * columnCount + column] = (Half)(column % 5 == 0 ? float.NegativeInfinity : -6);
        foreach (int threads in new[] { 1, 2, 3 })
        {
            var columns = new int[columnCount];
            int count = Int8Decomposition.FindOutlierColumns<Half>(matrix, columnCount, 6, columns, new() { MaxDegreeOfParallelism = threads });
            Assert.Equal(expected, columns[..count]);
        }
    }

    private static sbyte[] Quantised(Int8Weights weights)
    {
        var values = new sbyte[weights.OutputCount * weights.InputCount];
        weights.CopyValuesTo(values);
        return values;
    }
}

public sealed class Int8QuantizationTestsF16 : Int8QuantizationTests<Half>;

public sealed class Int8QuantizationTestsBF16 : Int8QuantizationTests<BrainFloat16>;
