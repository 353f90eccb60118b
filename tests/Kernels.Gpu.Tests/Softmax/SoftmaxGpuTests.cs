using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Tiny rows on ILGPU's CPU accelerator, where a barrier costs milliseconds, against the oracle.</summary>
[Collection(CpuAcceleratorTests.Name)]
public class SoftmaxGpuTests(CpuAccelerator accelerator)
{
    private const int GroupSize = 4, ChunkLength = 8, ChunkCapacity = 16;

    private readonly GpuDevice _device = accelerator.Device;

    // Small groups and chunks put the edges of both within a few elements; the capacity makes more than one launch of three long rows.
    private SoftmaxGpu Small() => new(_device, new SoftmaxGpuLaunch(GroupSize, ChunkLength, ChunkCapacity));

    public static TheoryData<int> Lengths =>
        [1, 2, 3, GroupSize, GroupSize + 1, ChunkLength - 1, ChunkLength, ChunkLength + 1, 2 * ChunkLength, 2 * ChunkLength + 1, 67];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void EveryOperationAgreesWithTheOracle(int rowLength)
    {
        const int rowCount = 3;
        float[] logits = Logits(rowCount * rowLength, seed: rowLength, spread: 12);
        float[] probabilities = new float[logits.Length], logs = new float[logits.Length], sums = new float[rowCount];
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>(logits, probabilities, rowLength);
        softmax.LogSoftmax<float>(logits, logs, rowLength);
        softmax.LogSumExp<float>(logits, sums, rowLength);
        for (int row = 0; row < rowCount; row++)
        {
            ReadOnlySpan<float> x = logits.AsSpan(row * rowLength, rowLength);
            SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(x, isLog: false), probabilities.AsSpan(row * rowLength, rowLength), isLog: false);
            SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(x, isLog: true), logs.AsSpan(row * rowLength, rowLength), isLog: true);
            SoftmaxGpuAssert.Logarithm(SoftmaxGpuOracle.LogSumExp(x), sums[row]);
        }
    }

    private const float NaN = float.NaN, Inf = float.PositiveInfinity;

    public static TheoryData<float[]> SpecialRows =>
    [
        [-Inf, 0, 1],
        [-Inf, -Inf, -Inf],
        [NaN, 0, 1],
        [Inf, 0, 1],
        [Inf, NaN, -Inf],
        [Inf, Inf, 0],
        [88, 1000],
        [-1000, -1001, -999.5f],
        [1e30f, -1e30f, 0],
        [-1e30f, -1e30f],
        [1e7f, 1e7f + 1, 1e7f - 2],
        [-1e7f, -1e7f - 1, -3e38f],
        [float.MaxValue, float.MinValue, float.MaxValue],
        [-90, -100, -103, 0],
        [(1 << 20) - 1, (1 << 20) + 1, (1 << 20) - 3],
        [-(1 << 20) - 1, -(1 << 20) + 1, -(1 << 20) - 3],
        [0f, -0f, 1e-30f],
    ];

    [Theory]
    [MemberData(nameof(SpecialRows))]
    public void SpecialValuesAreAsDocumented(float[] values)
    {
        // Alone, and in a row of several chunks where the values stand at the end of one and the start of the next.
        float[] apart = new float[3 * ChunkLength];
        Array.Fill(apart, values.Min() is NaN ? 0 : values.Min());
        values.CopyTo(apart, ChunkLength - 1);
        using SoftmaxGpu softmax = Small();
        foreach (float[] row in new[] { values, apart })
        {
            foreach (bool safe in new[] { false, true })
            {
                var options = new SoftmaxOptions<float> { Safe = safe };
                float[] actual = new float[row.Length], sum = new float[1];
                softmax.Compute<float>(row, actual, row.Length, options);
                SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(row, isLog: false, safe: safe), actual, isLog: false);
                softmax.LogSoftmax<float>(row, actual, row.Length, options);
                SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(row, isLog: true, safe: safe), actual, isLog: true);
                softmax.LogSumExp<float>(row, sum, row.Length, options);
                SoftmaxGpuAssert.Logarithm(SoftmaxGpuOracle.LogSumExp(row), sum[0]);
            }
        }
    }

    [Fact]
    public void ARowOfOneIsExactlyOneAndZeroAndNothingIsAbove()
    {
        float[] logits = [.. Logits(200, seed: 8, spread: 90), 1023, -1023, 3e6f, -3e6f], actual = new float[logits.Length];
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>(logits, actual, 1);
        Assert.All(actual, probability => Assert.Equal(1, probability));
        softmax.LogSoftmax<float>(logits, actual, 1);
        Assert.All(actual, logarithm => Assert.Equal(0, logarithm));
        // Peaked rows, one of them of several chunks.
        foreach (int rowLength in new[] { 2, 3, 2 * ChunkLength + 1 })
        {
            float[] peaked = [.. Logits(40 * rowLength, seed: rowLength, spread: 1).Select((x, i) => i % rowLength == rowLength / 2 ? 60 + i / rowLength : x)];
            var results = new float[peaked.Length];
            softmax.Compute<float>(peaked, results, rowLength);
            Assert.All(results, probability => Assert.InRange(probability, 0, 1));
            softmax.LogSoftmax<float>(peaked, results, rowLength);
            Assert.All(results, logarithm => Assert.InRange(logarithm, float.MinValue, 0));
        }
    }

    [Theory]
    [InlineData(5, 0.125)]
    [InlineData(5, -3)]
    [InlineData(19, 0)]
    [InlineData(19, 1e5)]
    public void LogitsAreScaled(int rowLength, double scale)
    {
        float[] logits = Logits(rowLength, seed: 1, spread: 6), actual = new float[rowLength];
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>(logits, actual, rowLength, new SoftmaxOptions<float> { Scale = scale });
        SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(logits, isLog: false, (float)scale), actual, isLog: false);
    }

    [Theory]
    [InlineData(4, 6, 0)]
    [InlineData(6, 4, 0)]
    [InlineData(4, 19, 2)]
    [InlineData(24, 22, 24)]
    public void CausalRowsSeeTheBottomRightCorner(int rowCount, int rowLength, int queryCount)
    {
        float[] logits = Logits(rowCount * rowLength, seed: 2, spread: 6), actual = new float[logits.Length];
        int queries = queryCount == 0 ? rowCount : queryCount;
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>(logits, actual, rowLength, new SoftmaxOptions<float> { Causal = true, CausalQueryCount = queryCount });
        for (int row = 0; row < rowCount; row++)
        {
            int visible = Math.Clamp((row % queries) + 1 + rowLength - queries, 0, rowLength);
            double[] expected = SoftmaxGpuOracle.Row(logits.AsSpan(row * rowLength, rowLength), isLog: false, length: visible);
            SoftmaxGpuAssert.Row(expected, actual.AsSpan(row * rowLength, rowLength), isLog: false);
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(21)]
    public void InPlaceOnTheDeviceGivesTheSameBits(int rowLength)
    {
        float[] logits = Logits(2 * rowLength, seed: 3, spread: 10), apart = new float[logits.Length], inPlace = new float[logits.Length];
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>(logits, apart, rowLength);
        using GpuBuffer<float> buffer = _device.Allocate<float>(logits);
        softmax.Compute(buffer, buffer, rowLength);
        buffer.CopyTo(inPlace);
        Assert.Equal(apart, inPlace);
    }

    [Fact]
    public void ARowDoesNotDependOnItsBatchMates()
    {
        const int rowLength = 43;
        float[] logits = Logits(5 * rowLength, seed: 4, spread: 10), together = new float[logits.Length], alone = new float[rowLength];
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>(logits, together, rowLength);
        softmax.Compute<float>(logits.AsSpan(3 * rowLength, rowLength), alone, rowLength);
        Assert.Equal(together.AsSpan(3 * rowLength, rowLength).ToArray(), alone);
    }

    [Fact]
    public void NoRowsAndEmptyRowsAreServed()
    {
        using SoftmaxGpu softmax = Small();
        softmax.Compute<float>([], [], 0);
        softmax.Compute<float>([], [], 7);
        float[] sums = [1, 2];
        softmax.LogSumExp<float>([], sums, 0);
        Assert.Equal([float.NegativeInfinity, float.NegativeInfinity], sums);
    }

    [Fact]
    public void TheErrorDoesNotGrowWithTheLength()
    {
        const int rowLength = 100_000;
        float[] logits = Logits(rowLength, seed: 5, spread: 10), sum = new float[1];
        using var softmax = new SoftmaxGpu(_device, new SoftmaxGpuLaunch(GroupSize, rowLength, 1));
        softmax.LogSumExp<float>(logits, sum, rowLength);
        SoftmaxGpuAssert.Logarithm(SoftmaxGpuOracle.LogSumExp(logits), sum[0]);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(20_000)]
    public void TheLaunchThatUsersGetAgreesWithTheOracle(int rowLength)
    {
        float[] logits = Logits(rowLength, seed: 7, spread: 10), actual = new float[rowLength];
        using var softmax = new SoftmaxGpu(_device);
        softmax.LogSoftmax<float>(logits, actual, rowLength);
        SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(logits, isLog: true), actual, isLog: true);
    }

    [Fact]
    public void HalfAndBFloat16AreRoundedOnce()
    {
        const int rowLength = 19;
        float[] logits = [.. Logits(rowLength, seed: 6, spread: 10).Select(x => (float)(BrainFloat16)x)];
        double[] expected = SoftmaxGpuOracle.Row(logits, isLog: false);
        var halves = new Half[rowLength];
        var brains = new BrainFloat16[rowLength];
        using SoftmaxGpu softmax = Small();
        softmax.Compute<Half>(Array.ConvertAll(logits, x => (Half)x), halves, rowLength);
        softmax.Compute<BrainFloat16>(Array.ConvertAll(logits, x => (BrainFloat16)x), brains, rowLength);
        for (int i = 0; i < rowLength; i++)
        {
            // Half of the last place: 2^-11 and 2^-8 relative, and 2^-25 among the denormal halves; then the float's own error.
            Assert.InRange((double)halves[i], expected[i] - HalfTolerance(expected[i]), expected[i] + HalfTolerance(expected[i]));
            Assert.InRange((double)(float)brains[i], expected[i] * (1 - Math.Pow(2, -8) - 1e-6), expected[i] * (1 + Math.Pow(2, -8) + 1e-6));
        }
    }

    private static double HalfTolerance(double expected) => (expected * (Math.Pow(2, -11) + 1e-6)) + Math.Pow(2, -25);

    private static float[] Logits(int count, int seed, float spread)
    {
        var random = new Random(seed);
        var logits = new float[count];
        for (int i = 0; i < count; i++)
            logits[i] = (random.NextSingle() - 0.5f) * 2 * spread;
        return logits;
    }
}
