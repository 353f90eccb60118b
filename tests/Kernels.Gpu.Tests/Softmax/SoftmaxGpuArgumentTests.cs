using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>The GPU door throws what the base package throws, before anything is written.</summary>
[Collection(CpuAcceleratorTests.Name)]
public class SoftmaxGpuArgumentTests(CpuAccelerator accelerator)
{
    private readonly GpuDevice _device = accelerator.Device;

    [Fact]
    public void BadShapesNameTheParameter()
    {
        using var softmax = new SoftmaxGpu(_device);
        float[] six = new float[6], five = new float[5];
        Assert.Throws<ArgumentOutOfRangeException>("rowLength", () => softmax.Compute<float>(six, six, -1));
        Assert.Throws<ArgumentException>("rowLength", () => softmax.Compute<float>(six, six, 4));
        Assert.Throws<ArgumentException>("probabilities", () => softmax.Compute<float>(six, five, 3));
        Assert.Throws<ArgumentException>("logProbabilities", () => softmax.LogSoftmax<float>(six, five, 3));
        Assert.Throws<ArgumentException>("logSumExp", () => softmax.LogSumExp<float>(six, new float[1], 3));
        Assert.Throws<ArgumentException>("probabilities", () => softmax.Compute<float>(six.AsSpan(0, 4), six.AsSpan(1, 4), 2));
        Assert.Throws<ArgumentOutOfRangeException>("Scale", () => softmax.Compute<float>(six, six, 3, new SoftmaxOptions<float> { Scale = double.NaN }));
        Assert.Throws<ArgumentException>("Variant", () =>
            softmax.Compute<float>(six, six, 3, new SoftmaxOptions<float> { Kernel = new() { Variant = "softmax/f32/cpu/scalar" } }));
    }

    [Fact]
    public void BadBuffersNameTheParameter()
    {
        using var softmax = new SoftmaxGpu(_device);
        using GpuBuffer<float> six = _device.Allocate<float>([0, 1, 2, 3, 4, 5]), five = _device.Allocate<float>(5);
        Assert.Throws<ArgumentNullException>("logits", () => softmax.Compute(null!, six, 3));
        Assert.Throws<ArgumentNullException>("probabilities", () => softmax.Compute(six, null!, 3));
        Assert.Throws<ArgumentException>("rowLength", () => softmax.Compute(six, six, 4));
        Assert.Throws<ArgumentException>("probabilities", () => softmax.Compute(six, five, 3));
        Assert.Throws<ArgumentException>("logSumExp", () => softmax.LogSumExp(six, six, 3));
        using GpuDevice other = GpuDevice.Open(GpuDeviceKind.Cpu);
        using GpuBuffer<float> foreign = other.Allocate<float>(6);
        Assert.Throws<ArgumentException>("logits", () => softmax.Compute(foreign, six, 3));
        Assert.Throws<ArgumentException>("probabilities", () => softmax.Compute(six, foreign, 3));
        float[] unchanged = new float[6];
        six.CopyTo(unchanged);
        Assert.Equal([0, 1, 2, 3, 4, 5], unchanged);
    }

    [Fact]
    public void OptionsWithoutKernelsAreRefusedByName()
    {
        using var softmax = new SoftmaxGpu(_device);
        float[] x = new float[4];
        Refused("SoftCap", () => softmax.Compute<float>(x, x, 2, new SoftmaxOptions<float> { SoftCap = 30 }));
        Refused("AdditiveMask", () => softmax.Compute<float>(x, x, 2, new SoftmaxOptions<float> { AdditiveMask = new float[2] }));
        Refused("BooleanMask", () => softmax.Compute<float>(x, x, 2, new SoftmaxOptions<float> { BooleanMask = new bool[2] }));
        Refused("RowLengths", () => softmax.Compute<float>(x, x, 2, new SoftmaxOptions<float> { RowLengths = new int[2] }));
        Refused("System.Double", () => softmax.Compute<double>(new double[4], new double[4], 2));
    }

    [Fact]
    public void ACancelledTokenStopsTheCall()
    {
        using var softmax = new SoftmaxGpu(_device);
        float[] x = [1, 2];
        var options = new KernelOptions { CancellationToken = new CancellationToken(canceled: true) };
        Assert.Throws<OperationCanceledException>(() => softmax.Compute<float>(x, x, 2, new SoftmaxOptions<float> { Kernel = options }));
        Assert.Equal([1, 2], x);
    }

    private static void Refused(string name, Action call) =>
        Assert.Contains(name, Assert.Throws<NotSupportedException>(call).Message, StringComparison.Ordinal);
}
