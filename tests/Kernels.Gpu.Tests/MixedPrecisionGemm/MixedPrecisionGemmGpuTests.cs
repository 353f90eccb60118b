using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Tiny shapes around tiles, panels, segments and groups on ILGPU's CPU accelerator: the bits of the CPU's exact product.</summary>
[Collection(CpuAcceleratorTests.Name)]
public sealed class MixedPrecisionGemmGpuTests(CpuAccelerator accelerator)
{
    private const string NoFusion = "this processor does not fuse multiply-adds, so the CPU's bits are not those of a device";

    public static TheoryData<int> Formats => [.. Enumerable.Range(0, GemmGpuCases.Formats.Length)];

    [SkippableTheory]
    [MemberData(nameof(Formats))]
    public void BitsAreThoseOfTheExactProduct(int format)
    {
        Skip.IfNot(Fma.IsSupported, NoFusion);
        using var gemm = new MixedPrecisionGemmGpu(accelerator.Device);
        // Rows of both kernels, around a tile; outputs around a panel.
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 1, 480), (4, 64, 480), (5, 65, 480), (9, 63, 480), (1, 3, 1440), (13, 66, 480) })
        {
            using QuantizedWeights weights = GemmGpuCases.Weights(outputs, inputs, GemmGpuCases.Formats[format]);
            GemmGpuCases.Check(gemm, weights, rows, bias: null, value => value);
        }
    }

    [SkippableFact]
    public void BiasTypesAndActOrder()
    {
        Skip.IfNot(Fma.IsSupported, NoFusion);
        using var gemm = new MixedPrecisionGemmGpu(accelerator.Device);
        using QuantizedWeights weights = GemmGpuCases.ActOrder(70, 96, 16);
        float[] bias = GemmGpuCases.Numbers(70, 8);
        foreach (int rows in new[] { 1, 6, 11 })
        {
            GemmGpuCases.Check(gemm, weights, rows, bias, value => value);
            GemmGpuCases.Check(gemm, weights, rows, bias, value => (Half)value);
            GemmGpuCases.Check(gemm, weights, rows, bias, value => (BrainFloat16)value);
        }
    }

    [SkippableFact]
    public void ScratchMemoryOfFourRowsIsEnough()
    {
        Skip.IfNot(Fma.IsSupported, NoFusion);
        using QuantizedWeights weights = GemmGpuCases.Weights(20, 64, new(QuantizedType.U4, 32));
        using var gemm = new MixedPrecisionGemmGpu(accelerator.Device, scratchBytes: 4 * 64 * sizeof(float));
        GemmGpuCases.Check(gemm, weights, rows: 11, bias: null, value => value);
        using var less = new MixedPrecisionGemmGpu(accelerator.Device, scratchBytes: 4 * 64 * sizeof(float) - 4);
        using GpuQuantizedWeights onDevice = GpuQuantizedWeights.Upload(accelerator.Device, weights);
        Assert.Throws<ArgumentException>("weights", () => less.Multiply<float>(new float[64], onDevice, new float[20]));
    }

    [Fact]
    public void SpecialValuesStayInTheirRows()
    {
        using var gemm = new MixedPrecisionGemmGpu(accelerator.Device);
        using QuantizedWeights weights = GemmGpuCases.Weights(5, 64, new(QuantizedType.U4, 32));
        using GpuQuantizedWeights onDevice = GpuQuantizedWeights.Upload(accelerator.Device, weights);
        foreach (int rows in new[] { 3, 10 })
        {
            float[] plain = GemmGpuCases.Numbers(rows * 64, 4), expected = new float[rows * 5], actual = new float[rows * 5];
            gemm.Multiply<float>(plain, onDevice, expected);
            plain[64 + 7] = float.NaN;
            plain[2 * 64 + 9] = float.PositiveInfinity;
            gemm.Multiply<float>(plain, onDevice, actual);
            Assert.All(actual.Skip(5).Take(5), value => Assert.True(float.IsNaN(value)));
            Assert.All(actual.Skip(10).Take(5), value => Assert.False(float.IsFinite(value)));
            Assert.Equal(expected.Take(5).Concat(expected.Skip(15)), actual.Take(5).Concat(actual.Skip(15)));
        }
    }

    [Fact]
    public void NothingIsWrittenBeyondTheResultAndNoRowsWriteNothing()
    {
        using var gemm = new MixedPrecisionGemmGpu(accelerator.Device);
        using QuantizedWeights weights = GemmGpuCases.Weights(5, 64, new(QuantizedType.U4, 32));
        using GpuQuantizedWeights onDevice = GpuQuantizedWeights.Upload(accelerator.Device, weights);
        float[] output = [.. Enumerable.Repeat(42f, 17)];
        gemm.Multiply<float>([], onDevice, output);
        Assert.All(output, value => Assert.Equal(42f, value));
        using GpuBuffer<float> activations = accelerator.Device.Allocate<float>(GemmGpuCases.Numbers(3 * 64, 4)),
            results = accelerator.Device.Allocate<float>(output);
        gemm.Multiply(activations, onDevice, results, 3);
        results.CopyTo(output);
        Assert.All(output.Take(15), value => Assert.NotEqual(42f, value));
        Assert.Equal([42f, 42f], output.Skip(15));
    }

    [Fact]
    public void BadArgumentsAreNamed()
    {
        GpuDevice device = accelerator.Device;
        using var gemm = new MixedPrecisionGemmGpu(device);
        using QuantizedWeights weights = GemmGpuCases.Weights(5, 64, new(QuantizedType.U4, 32));
        using GpuQuantizedWeights onDevice = GpuQuantizedWeights.Upload(device, weights);
        float[] row = new float[64], result = new float[5];
        Assert.Throws<ArgumentNullException>("weights", () => gemm.Multiply<float>(row, null!, result));
        Assert.Throws<ArgumentException>("activations", () => gemm.Multiply<float>(new float[65], onDevice, result));
        Assert.Throws<ArgumentException>("output", () => gemm.Multiply<float>(row, onDevice, new float[4]));
        Assert.Throws<ArgumentException>("Bias", () => gemm.Multiply<float>(row, onDevice, result, new() { Bias = new float[4] }));
        Assert.Throws<ArgumentException>("Variant", () => gemm.Multiply<float>(row, onDevice, result, new() { Kernel = new() { Variant = "nonsense" } }));
        Assert.Throws<NotSupportedException>(() => gemm.Multiply<float>(row, onDevice, result, new() { Arithmetic = GemmArithmetic.Int8Activations }));
        Assert.Throws<NotSupportedException>(() => gemm.Multiply<double>(new double[64], onDevice, new double[5]));
        Assert.Throws<ArgumentOutOfRangeException>("scratchBytes", () => new MixedPrecisionGemmGpu(device, 0));
        Assert.Throws<OperationCanceledException>(() =>
            gemm.Multiply<float>(row, onDevice, result, new() { Kernel = new() { CancellationToken = new(canceled: true) } }));
        using GpuBuffer<float> one = device.Allocate<float>(64), five = device.Allocate<float>(5);
        Assert.Throws<ArgumentOutOfRangeException>("rowCount", () => gemm.Multiply(one, onDevice, five, -1));
        Assert.Throws<ArgumentException>("activations", () => gemm.Multiply(five, onDevice, one, 1));
        Assert.Throws<ArgumentException>("output", () => gemm.Multiply(one, onDevice, one, 1));
        Assert.Throws<ArgumentException>("bias", () => gemm.Multiply(one, onDevice, five, 1, device.Allocate<float>(4)));
        using GpuDevice other = GpuDevice.Open(GpuDeviceKind.Cpu);
        using GpuBuffer<float> elsewhere = other.Allocate<float>(64);
        Assert.Throws<ArgumentException>("activations", () => gemm.Multiply(elsewhere, onDevice, five, 1));
        using QuantizedWeights sparse = GemmGpuCases.Weights(4, 64, new(QuantizedType.U4, 32, Sparsity: WeightSparsity.TwoOfFour));
        Assert.Throws<NotSupportedException>(() => GpuQuantizedWeights.Upload(device, sparse));
    }
}
