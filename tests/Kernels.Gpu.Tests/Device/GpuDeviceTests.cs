using Xunit;

namespace Kernels.Gpu.Tests;

[Collection(CpuAcceleratorTests.Name)]
public class GpuDeviceTests(CpuAccelerator accelerator)
{
    [Fact]
    public void EveryKindIsListedOrAbsentWithAReason()
    {
        IReadOnlyList<GpuDeviceInfo> devices = GpuDevice.Enumerate();
        foreach (GpuDeviceKind kind in Enum.GetValues<GpuDeviceKind>())
        {
            GpuDeviceInfo first = devices.First(device => device.Kind == kind);
            Assert.NotEqual(first.IsPresent, first.Name.Length == 0);
            if (first.IsPresent)
                continue;
            Assert.Equal(first.Reason, Assert.Throws<PlatformNotSupportedException>(() => GpuDevice.Open(kind)).Message);
        }
        Assert.Contains(devices, device => device.Kind == GpuDeviceKind.Cpu && device.IsPresent);
    }

    [Fact]
    public void AnIndexBeyondTheDevicesIsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("index", () => GpuDevice.Open(GpuDeviceKind.Cpu, -1));
        Assert.Throws<ArgumentOutOfRangeException>("index", () => GpuDevice.Open(GpuDeviceKind.Cpu, 1000));
    }

    [Fact]
    public void ABufferCopiesWhatFitsAndRefusesTheRest()
    {
        using GpuBuffer<int> buffer = accelerator.Device.Allocate<int>([1, 2, 3]);
        buffer.CopyFrom([7, 8]);
        int[] three = new int[3];
        buffer.CopyTo(three);
        Assert.Equal([7, 8, 3], three);
        Assert.Throws<ArgumentException>("source", () => buffer.CopyFrom(new int[4]));
        Assert.Throws<ArgumentException>("destination", () => buffer.CopyTo(new int[4]));
        Assert.Throws<ArgumentOutOfRangeException>("length", () => accelerator.Device.Allocate<int>(-1));
    }

    [Fact]
    public void TheCatalogueSaysWhyNoGpuIsThere()
    {
        IReadOnlyList<KernelVariant> here = GpuVariants.On([new(GpuDeviceKind.Cpu, 0, "CPU", ""), new(GpuDeviceKind.Cuda, -1, "", "no CUDA device")]);
        Assert.Superset(
            new HashSet<string> { "softmax/f32/gpu/ilgpu", "softmax/bf16/gpu/ilgpu", "mixed_precision_gemm/f32_u4_f32/gpu/ilgpu",
            "mixed_precision_gemm/f16_nf4_f16/gpu/ilgpu" },
            here.Select(variant => variant.Identity).ToHashSet());
        Assert.All(here, variant => Assert.Equal((VariantAvailability.Emulated, "no CUDA device"), (variant.Availability, variant.Reason)));
        Assert.All(GpuVariants.On([new(GpuDeviceKind.OpenCl, 0, "GPU", "")]), variant => Assert.Equal(VariantAvailability.Available, variant.Availability));
    }
}
