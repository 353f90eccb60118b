namespace Kernels.Gpu;

/// <summary>The argument checks that every GPU door needs; those of a family's own arguments are in Core.</summary>
internal static class GpuChecks
{
    /// <summary>A buffer of the device, of at least <paramref name="needed"/> elements.</summary>
    public static void Buffer<T>(GpuDevice device, GpuBuffer<T> buffer, long needed, string name) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(buffer, name);
        Same(device, buffer.Device, name);
        if (buffer.Length < needed)
            throw new ArgumentException($"a buffer of {buffer.Length} elements is too short: {needed} are needed", name);
    }

    /// <summary>What lives on one device cannot be used on another.</summary>
    public static void Same(GpuDevice device, GpuDevice other, string name)
    {
        if (other != device)
            throw new ArgumentException($"it belongs to another device than {device.Name}", name);
    }

    /// <summary>An output in other memory than an input.</summary>
    public static void Distinct(object output, object input, string outputName, string inputName)
    {
        if (ReferenceEquals(output, input))
            throw new ArgumentException($"the buffer is {inputName}", outputName);
    }

    /// <summary>A variant, where one is asked for, is the one that runs on devices.</summary>
    public static void Variant(in KernelOptions options, string identity)
    {
        if (options.Variant is { } variant && variant != identity)
            throw new ArgumentException($"'{variant}' is not what runs on a device: {identity}", nameof(KernelOptions.Variant));
    }
}
