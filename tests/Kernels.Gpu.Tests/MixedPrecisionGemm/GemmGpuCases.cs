using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Weights and activations of every format, and the CPU's exact product as the oracle: the arithmetic is the same, and so are the bits.</summary>
internal static class GemmGpuCases
{
    /// <summary>Formats whose kernels or layouts differ: types, scales, groups shorter and longer than a segment, and not of whole steps.</summary>
    public static readonly QuantizationFormat[] Formats =
    [
        new(QuantizedType.U4, 32), new(QuantizedType.U4ZeroPoint, 12, ScaleType.BFloat16),
            new(QuantizedType.U8, QuantizationFormat.WholeColumn, ScaleType.Float32),
        new(QuantizedType.U8ZeroPoint, 24), new(QuantizedType.Nf4, 8, ScaleType.Float32), new(QuantizedType.Fp4, 20),
    ];

    public static QuantizedWeights Weights(int outputs, int inputs, QuantizationFormat format) =>
        QuantizedWeights.Pack(Numbers(outputs * inputs, outputs + inputs), outputs, inputs, format);

    /// <summary>Every input in a group of its own choice: each group has as many, in an order that is not theirs.</summary>
    public static QuantizedWeights ActOrder(int outputs, int inputs, int groupSize)
    {
        var random = new Random(inputs);
        int[] groups = [.. Enumerable.Range(0, inputs).Select(input => input / groupSize)];
        random.Shuffle(groups);
        var values = new byte[outputs * inputs];
        for (int i = 0; i < values.Length; i++)
            values[i] = (byte)random.Next(16);
        return QuantizedWeights.FromQuantized(values, Numbers(outputs * (inputs / groupSize), 3), [], outputs, inputs,
            new(QuantizedType.U4, groupSize, ScaleType.Float32), groups);
    }

    public static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        var numbers = new float[count];
        for (int i = 0; i < count; i++)
            numbers[i] = random.NextSingle() * 2 - 1;
        return numbers;
    }

    public static void Check<T>(MixedPrecisionGemmGpu gemm, QuantizedWeights weights, int rows, float[]? bias, Func<float, T> from) where T : unmanaged
    {
        T[] activations = [.. Numbers(rows * weights.InputCount, rows).Select(from)];
        T[] expected = new T[rows * weights.OutputCount], actual = new T[expected.Length];
        MixedPrecisionGemm.Multiply<T>(activations, weights, expected, new() { Bias = bias });
        using GpuQuantizedWeights onDevice = GpuQuantizedWeights.Upload(gemm.Device, weights);
        gemm.Multiply<T>(activations, onDevice, actual, new() { Bias = bias });
        Assert.Equal(expected, actual);
    }
}
