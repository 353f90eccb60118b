using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Tiny shapes around tiles, panels and steps on ILGPU's CPU accelerator: the bits of the CPU's product.</summary>
[Collection(CpuAcceleratorTests.Name)]
public sealed class Int8DecompositionGpuTests(CpuAccelerator accelerator)
{
    private const string NoFusion = "this processor does not fuse multiply-adds, so the CPU's bits are not those of a device";

    [SkippableFact]
    public void BitsAreThoseOfTheCpu()
    {
        Skip.IfNot(Fma.IsSupported, NoFusion);
        using var int8 = new Int8DecompositionGpu(accelerator.Device);
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 1, 1), (4, 32, 64), (5, 33, 67), (9, 31, 70), (2, 3, 300), (13, 65, 130) })
        {
            Int8Weights weights = Int8GpuCases.Weights(outputs, inputs);
            float[] activations = Int8GpuCases.Activations(rows, inputs), bias = GemmGpuCases.Numbers(outputs, 5);
            foreach (float threshold in new[] { 0f, 6f, 1e-3f })
                Int8GpuCases.Check(int8, weights, activations, threshold);
            Int8GpuCases.Check(int8, weights, activations, bias: bias);
            Int8GpuCases.Check<Half>(int8, weights, [.. activations.Select(value => (Half)value)]);
            Int8GpuCases.Check<BrainFloat16>(int8, weights, [.. activations.Select(value => (BrainFloat16)value)], bias: bias);
        }
    }

    [SkippableFact]
    public void SmallAndLargeNumbersKeepTheirBits()
    {
        Skip.IfNot(Fma.IsSupported, NoFusion);
        using var int8 = new Int8DecompositionGpu(accelerator.Device);
        Int8Weights weights = Int8GpuCases.Weights(3, 64);
        float[] numbers = GemmGpuCases.Numbers(64, 9);
        foreach (float scale in new[] { 1e-34f, 1e-30f, 1e-20f, 1e20f, 3e30f })
            Int8GpuCases.Check(int8, weights, [.. numbers.Select(value => value * scale)], threshold: 0);
    }

    [Fact]
    public void SpecialValuesStayInTheirRows()
    {
        using var int8 = new Int8DecompositionGpu(accelerator.Device);
        Int8Weights weights = Int8GpuCases.Weights(5, 64);
        using GpuInt8Weights onDevice = GpuInt8Weights.Upload(accelerator.Device, weights);
        foreach (int rows in new[] { 4, 10 })
        {
            float[] activations = Int8GpuCases.Activations(rows, 64), expected = new float[rows * 5], actual = new float[rows * 5];
            int8.Multiply<float>(activations, onDevice, expected);
            activations[64 + 7] = float.NaN;
            activations[2 * 64 + 9] = float.PositiveInfinity;
            int8.Multiply<float>(activations, onDevice, actual);
            Assert.All(actual.Skip(5).Take(5), value => Assert.True(float.IsNaN(value)));
            Assert.All(actual.Skip(10).Take(5), value => Assert.False(float.IsFinite(value)));
            Assert.Equal(expected.Take(5).Concat(expected.Skip(15)), actual.Take(5).Concat(actual.Skip(15)));
        }
    }

    [SkippableFact]
    public void ScratchMemoryOfFourRowsIsEnough()
    {
        Skip.IfNot(Fma.IsSupported, NoFusion);
        const int bytes = 4 * (64 + 64 * 8 + 8);
        Int8Weights weights = Int8GpuCases.Weights(20, 64);
        using var int8 = new Int8DecompositionGpu(accelerator.Device, bytes);
        Int8GpuCases.Check(int8, weights, Int8GpuCases.Activations(11, 64));
        using var less = new Int8DecompositionGpu(accelerator.Device, bytes - 1);
        using GpuInt8Weights onDevice = GpuInt8Weights.Upload(accelerator.Device, weights);
        Assert.Throws<ArgumentException>("weights", () => less.Multiply<float>(new float[64], onDevice, new float[20]));
    }

    [Fact]
    public void NothingIsWrittenBeyondTheResultAndNoRowsWriteNothing()
    {
        using var int8 = new Int8DecompositionGpu(accelerator.Device);
        using GpuInt8Weights onDevice = GpuInt8Weights.Upload(accelerator.Device, Int8GpuCases.Weights(5, 64));
        float[] output = [.. Enumerable.Repeat(42f, 17)];
        int8.Multiply<float>([], onDevice, output);
        Assert.All(output, value => Assert.Equal(42f, value));
        using GpuBuffer<float> activations = accelerator.Device.Allocate<float>(Int8GpuCases.Activations(3, 64)),
            results = accelerator.Device.Allocate<float>(output);
        int8.Multiply(activations, onDevice, results, 3);
        results.CopyTo(output);
        Assert.All(output.Take(15), value => Assert.NotEqual(42f, value));
        Assert.Equal([42f, 42f], output.Skip(15));
    }

    [Fact]
    public void BadArgumentsAreNamed()
    {
        GpuDevice device = accelerator.Device;
        using var int8 = new Int8DecompositionGpu(device);
        using GpuInt8Weights weights = GpuInt8Weights.Upload(device, Int8GpuCases.Weights(5, 64));
        float[] row = new float[64], result = new float[5];
        Assert.Throws<ArgumentNullException>("weights", () => int8.Multiply<float>(row, null!, result));
        Assert.Throws<ArgumentException>("activations", () => int8.Multiply<float>(new float[65], weights, result));
        Assert.Throws<ArgumentException>("output", () => int8.Multiply<float>(row, weights, new float[4]));
        Assert.Throws<ArgumentException>("Bias", () => int8.Multiply<float>(row, weights, result, new() { Bias = new float[4] }));
        Assert.Throws<ArgumentException>("Variant", () => int8.Multiply<float>(row, weights, result, new() { Kernel = new() { Variant = "nonsense" } }));
        Assert.Throws<NotSupportedException>(() => int8.Multiply<float>(row, weights, result, new() { Outliers = OutlierScope.BatchColumns }));
        Assert.Throws<NotSupportedException>(() => int8.Multiply<double>(new double[64], weights, new double[5]));
        Assert.Throws<ArgumentOutOfRangeException>("scratchBytes", () => new Int8DecompositionGpu(device, -1));
        Assert.Throws<OperationCanceledException>(() =>
            int8.Multiply<float>(row, weights, result, new() { Kernel = new() { CancellationToken = new(canceled: true) } }));
        using GpuBuffer<float> one = device.Allocate<float>(64), five = device.Allocate<float>(5), four = device.Allocate<float>(4);
        foreach (float threshold in new[] { float.NaN, float.PositiveInfinity, -1 })
            Assert.Throws<ArgumentOutOfRangeException>("threshold", () => int8.Multiply(one, weights, five, 1, threshold));
        Assert.Throws<ArgumentOutOfRangeException>("rowCount", () => int8.Multiply(one, weights, five, -1));
        Assert.Throws<ArgumentException>("activations", () => int8.Multiply(five, weights, one, 1));
        Assert.Throws<ArgumentException>("output", () => int8.Multiply(one, weights, one, 1));
        Assert.Throws<ArgumentException>("bias", () => int8.Multiply(one, weights, five, 1, bias: four));
    }
}
