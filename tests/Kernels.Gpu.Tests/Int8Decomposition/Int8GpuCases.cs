using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Weights, activations with outliers, and the CPU's product as the oracle: the arithmetic is the same, and so are the bits.</summary>
internal static class Int8GpuCases
{
    public static Int8Weights Weights(int outputs, int inputs) => Int8Weights.Pack(GemmGpuCases.Numbers(outputs * inputs, outputs + inputs), outputs, inputs);

    /// <summary>Numbers within 1; in two rows of three some of 7 to 20, in one of seven a row of zeros.</summary>
    public static float[] Activations(int rows, int inputs)
    {
        float[] numbers = GemmGpuCases.Numbers(rows * inputs, rows);
        for (int row = 0; row < rows; row++)
        {
            if (row % 7 == 6)
                numbers.AsSpan(row * inputs, inputs).Clear();
            for (int input = row; row % 3 != 0 && input < inputs; input += 37)
                numbers[row * inputs + input] = input % 2 == 0 ? 7 + input % 13 : -20;
        }
        return numbers;
    }

    public static void Check<T>(Int8DecompositionGpu int8, Int8Weights weights, T[] activations, float threshold = 6, float[]? bias = null) where T : unmanaged
    {
        T[] expected = new T[activations.Length / weights.InputCount * weights.OutputCount], actual = new T[expected.Length];
        Int8Decomposition.Multiply<T>(activations, weights, expected, new() { Threshold = threshold, Bias = bias });
        using GpuInt8Weights onDevice = GpuInt8Weights.Upload(int8.Device, weights);
        int8.Multiply<T>(activations, onDevice, actual, new() { Threshold = threshold, Bias = bias });
        Assert.Equal(expected, actual);
    }
}
