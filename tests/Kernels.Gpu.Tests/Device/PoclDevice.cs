using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.OpenCL;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>
/// Debian's PoCL: OpenCL on the processor, with groups of 256 threads. ILGPU refuses it for lack of a generic address space, which optimised kernels do not
/// use; here, and here alone, that check is passed. What it measures is a processor, never a GPU.
/// </summary>
public sealed class PoclDevice : IDisposable
{
    private readonly Lazy<GpuDevice?> _device = new(Open);

    /// <summary>The device, or a skip that says what is missing.</summary>
    public GpuDevice OrSkip()
    {
        Skip.If(_device.Value is null, "no PoCL: apt-get install pocl-opencl-icd ocl-icd-libopencl1");
        return _device.Value!;
    }

    public void Dispose()
    {
        if (_device.IsValueCreated)
            _device.Value?.Dispose();
    }

    private static GpuDevice? Open()
    {
        var context = Context.Create(builder => GpuDevice.ConfigureKernels(builder.OpenCL(_ => true)));
        foreach (CLDevice device in context.GetCLDevices())
        {
            if (!device.PlatformName.Contains("Portable Computing Language", StringComparison.Ordinal))
                continue;
            Claim(device.Capabilities, true);
            return GpuDevice.Of(context, device, GpuDeviceKind.OpenCl);
        }
        context.Dispose();
        return null;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_GenericAddressSpace")]
    private static extern void Claim(CLCapabilityContext capabilities, bool value);
}

[CollectionDefinition(Name)]
public sealed class PoclTests : ICollectionFixture<PoclDevice>
{
    public const string Name = "PoCL";
}
