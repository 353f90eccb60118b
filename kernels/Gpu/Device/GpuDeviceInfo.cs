namespace Kernels.Gpu;

/// <summary>The programming interface a device is driven through.</summary>
public enum GpuDeviceKind
{
    /// <summary>An Nvidia GPU.</summary>
    Cuda,

    /// <summary>Any OpenCL 2.0 device with a generic address space.</summary>
    OpenCl,

    /// <summary>ILGPU's emulation on the processor: for checking kernels on tiny shapes; thousands of times slower than the managed backend.</summary>
    Cpu,
}

/// <summary>A device that <see cref="GpuDevice.Open"/> can open, or a kind of device of which none was found.</summary>
/// <param name="Kind">The programming interface.</param>
/// <param name="Index">The device's place among those of its kind, or -1 if there is none.</param>
/// <param name="Name">The device's own name, or an empty string.</param>
/// <param name="Reason">Why there is no such device, or an empty string.</param>
public sealed record GpuDeviceInfo(GpuDeviceKind Kind, int Index, string Name, string Reason)
{
    /// <summary>Whether the device can be opened.</summary>
    public bool IsPresent => Reason.Length == 0;
}
