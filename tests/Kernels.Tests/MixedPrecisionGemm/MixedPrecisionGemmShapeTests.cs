using Kernels.Cpu.MixedPrecisionGemm;

namespace Kernels.Tests;

/// <summary>
/// The shapes that other projects test, on the default variant: a row's result does not depend on the batch, so one oracle serves all batches of a layer.
/// </summary>
public sealed class MixedPrecisionGemmShapeTests
{
    // IST-DASLab's grid for MARLIN.
    private static readonly int[] s_batches = [1, 2, 3, 4, 8, 12, 16, 24, 32, 48, 64, 118, 128, 152, 768, 1024];

    public static TheoryData<int, int, int> MarlinLayers => new()
    {
        // outputs, inputs, group
        { 512, 1024, 128 }, { 256, 768, 128 }, { 256, 832, QuantizationFormat.WholeColumn }, { 256, 896, 128 }, { 256, 64, QuantizationFormat.WholeColumn },
        { 256, 128, 128 }, { 256, 192, QuantizationFormat.WholeColumn }, { 256, 512, 128 }, { 256, 1024, 128 },
    };

    [Theory]
    [MemberData(nameof(MarlinLayers))]
    public void MarlinsGrid(int outputs, int inputs, int group)
    {
        int[] batches = (outputs, inputs) == (512, 1024) ? s_batches : [1, 16, 64];
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(QuantizedType.U4, group));
        float[] activations = MixedPrecisionGemmCases.Normal(batches.Max() * inputs, 1);
        foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.Arithmetics)
        {
            float[] all = MixedPrecisionGemmCases.Multiply<float>(activations, weights, arithmetic, default);
            MixedPrecisionGemmOracle.Of<float>(activations, weights, arithmetic).Check<float>(all, $"{arithmetic}, {outputs} x {inputs}, group {group}");
            foreach (int batch in batches)
            {
                float[] actual = MixedPrecisionGemmCases.Multiply<float>(activations.AsSpan(0, batch * inputs), weights, arithmetic, default);
                Assert.True(actual.AsSpan().SequenceEqual(all.AsSpan(0, batch * outputs)),
                    $"{arithmetic}, {outputs} x {inputs}: {batch} rows differ from the same rows of {batches.Max()}");
            }
        }
    }

    [Fact]
    public void WideLayer() => CheckDefault(rows: 2, outputs: 32768, inputs: 1024, new());

    [Theory]
    [InlineData(43, 500, 401)] // MLAS
    [InlineData(257, 288, 200)] // vLLM's padded tiles
    [InlineData(3, 208, 256)]
    [InlineData(26, 832, 128)]
    public void OddShapes(int rows, int outputs, int inputs)
    {
        CheckDefault(rows, outputs, inputs, new(QuantizedType.U4, QuantizationFormat.WholeColumn));
        CheckDefault(rows, outputs, inputs, new(QuantizedType.U4ZeroPoint, QuantizationFormat.WholeColumn));
        CheckDefault(rows, outputs, inputs, new(QuantizedType.U8, QuantizationFormat.WholeColumn));
    }

    [Theory]
    [InlineData(1, 4096, 128, 4)]
    [InlineData(70, 5 * 1024, 64, 5)]
    [InlineData(130, 3000, 1000, 2)]
    [InlineData(64, 4096, QuantizationFormat.WholeColumn, 1)]
    [InlineData(16 * 64, 4096, 128, 1)]
    public void FewOutputsAreCutOverTheInputs(int outputs, int inputs, int group, int parts)
    {
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(QuantizedType.U4, group));
        Assert.Equal(parts, new GemmParts(weights.Layout).Count);
        float[] activations = MixedPrecisionGemmCases.Normal(3 * inputs, 1);
        foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.Arithmetics)
        {
            float[] expected = MixedPrecisionGemmCases.Multiply<float>(activations, weights, arithmetic, new() { MaxDegreeOfParallelism = 1 });
            MixedPrecisionGemmOracle.Of<float>(activations, weights, arithmetic).Check<float>(expected, $"{arithmetic}, {outputs} x {inputs}");
            foreach (int threads in (int[])[2, 3, 7])
                Assert.Equal(expected, MixedPrecisionGemmCases.Multiply<float>(activations, weights, arithmetic, new() { MaxDegreeOfParallelism = threads }));
            Assert.Equal(expected[..outputs], MixedPrecisionGemmCases.Multiply<float>(activations.AsSpan(0, inputs), weights, arithmetic, default));
        }
    }

    [Fact]
    public void OneRowWithZeroPoints()
    {
        // The sizes of onnxruntime's issue 29853, where the AVX2 kernel for one row with zero points was off by 46 % at every block length. Its data are not
        // published: these are ours.
        foreach (int block in new[] { 16, 32, 64, 128 })
            CheckDefault(rows: 1, outputs: 96, inputs: 256, new(QuantizedType.U4ZeroPoint, block));
    }

    private static void CheckDefault(int rows, int outputs, int inputs, QuantizationFormat format)
    {
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, format);
        float[] activations = MixedPrecisionGemmCases.Normal(rows * inputs, 1);
        foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.Arithmetics)
        {
            float[] actual = MixedPrecisionGemmCases.Multiply<float>(activations, weights, arithmetic, default);
            MixedPrecisionGemmOracle.Of<float>(activations, weights, arithmetic).Check<float>(actual, $"{arithmetic}, {format}, {rows} x {outputs} x {inputs}");
        }
    }

    [Fact]
    public void EightBitActivationsMoveResultsByNoMoreThanPromised()
    {
        const int rows = 3, outputs = 70, inputs = 512, segment = 128;
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new());
        float[] activations = MixedPrecisionGemmCases.Normal(rows * inputs, 4), dequantised = new float[outputs * inputs];
        weights.Dequantize(dequantised);
        float[] exact = MixedPrecisionGemmCases.Multiply<float>(activations, weights, GemmArithmetic.Exact, default);
        float[] rounded = MixedPrecisionGemmCases.Multiply<float>(activations, weights, GemmArithmetic.Int8Activations, default);
        for (int i = 0; i < exact.Length; i++)
        {
            double bound = 0;
            for (int input = 0; input < inputs; input += segment)
            {
                double largest = activations.AsSpan(i / outputs * inputs + input, segment).ToArray().Max(Math.Abs);
                bound += largest / 254 * dequantised.AsSpan(i % outputs * inputs + input, segment).ToArray().Sum(w => Math.Abs((double)w));
            }
            Assert.InRange(Math.Abs(exact[i] - rounded[i]), 0, bound * (1 + 1e-4));
        }
        Assert.NotEqual(exact, rounded);
    }
}
