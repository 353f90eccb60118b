using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Realistic sizes on a real device, with the launch that users get. Skipped, with the reason, where there is none.</summary>
public class SoftmaxGpuDeviceTests
{
    [SkippableTheory]
    [InlineData(GpuDeviceKind.OpenCl, 64, 1000)]
    [InlineData(GpuDeviceKind.OpenCl, 4, 128_256)]
    [InlineData(GpuDeviceKind.OpenCl, 1, 4_000_000)]
    [InlineData(GpuDeviceKind.Cuda, 64, 1000)]
    [InlineData(GpuDeviceKind.Cuda, 4, 128_256)]
    [InlineData(GpuDeviceKind.Cuda, 1, 4_000_000)]
    public void RealisticSizesAgreeWithTheOracle(GpuDeviceKind kind, int rowCount, int rowLength)
    {
        using GpuDevice device = OpenOrSkip(kind);
        using var softmax = new SoftmaxGpu(device);
        var random = new Random(rowLength);
        var logits = new float[rowCount * rowLength];
        for (int i = 0; i < logits.Length; i++)
            logits[i] = (random.NextSingle() - 0.5f) * 20;
        var probabilities = new float[logits.Length];
        softmax.Compute<float>(logits, probabilities, rowLength);
        for (int start = 0; start < logits.Length; start += rowLength)
            SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(logits.AsSpan(start, rowLength), isLog: false), probabilities.AsSpan(start, rowLength), isLog: false);
    }

    [SkippableTheory]
    [InlineData(GpuDeviceKind.OpenCl)]
    [InlineData(GpuDeviceKind.Cuda)]
    public void SpecialValuesAreAsDocumented(GpuDeviceKind kind)
    {
        using GpuDevice device = OpenOrSkip(kind);
        using var softmax = new SoftmaxGpu(device);
        foreach (float[] logits in SoftmaxGpuTests.SpecialRows)
        {
            float[] actual = new float[logits.Length], sum = new float[1];
            softmax.Compute<float>(logits, actual, logits.Length);
            SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(logits, isLog: false), actual, isLog: false);
            softmax.LogSoftmax<float>(logits, actual, logits.Length);
            SoftmaxGpuAssert.Row(SoftmaxGpuOracle.Row(logits, isLog: true), actual, isLog: true);
            softmax.LogSumExp<float>(logits, sum, logits.Length);
            SoftmaxGpuAssert.Logarithm(SoftmaxGpuOracle.LogSumExp(logits), sum[0]);
        }
    }

    private static GpuDevice OpenOrSkip(GpuDeviceKind kind)
    {
        GpuDeviceInfo device = GpuDevice.Enumerate().First(candidate => candidate.Kind == kind);
        Skip.IfNot(device.IsPresent, device.Reason);
        return GpuDevice.Open(kind);
    }
}
