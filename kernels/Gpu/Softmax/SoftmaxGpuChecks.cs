using Kernels.Core.Softmax;

namespace Kernels.Gpu;

/// <summary>The argument checks that only the GPU door needs; the others are in Core.</summary>
internal static class SoftmaxGpuChecks
{
    public static void Buffers<T>(GpuDevice device, GpuBuffer<T> logits, GpuBuffer<T> output, SoftmaxOperation operation, string outputName) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(output, outputName);
        if (logits.Device != device)
            throw new ArgumentException($"the buffer belongs to another device than {device.Name}", nameof(logits));
        if (output.Device != device)
            throw new ArgumentException($"the buffer belongs to another device than {device.Name}", outputName);
        if (operation == SoftmaxOperation.LogSumExp && output == logits)
            throw new ArgumentException($"the buffer is {nameof(logits)}", outputName);
        if (logits.Length > int.MaxValue)
            throw new ArgumentException($"{logits.Length} elements are more than the {int.MaxValue} that one call takes", nameof(logits));
    }

    public static void Options<T>(in SoftmaxOptions<T> options) where T : unmanaged
    {
        if (options.Kernel.Variant is { } variant && variant != SoftmaxGpuVariants.Identity<T>())
            throw new ArgumentException($"'{variant}' is not what runs on a device: {SoftmaxGpuVariants.Identity<T>()}", nameof(KernelOptions.Variant));
        Refuse(options.SoftCap != 0, nameof(options.SoftCap));
        Refuse(!options.Mask.IsEmpty, nameof(options.Mask));
        Refuse(!options.BooleanMask.IsEmpty, nameof(options.BooleanMask));
        Refuse(!options.RowLengths.IsEmpty, nameof(options.RowLengths));
    }

    private static void Refuse(bool isGiven, string name)
    {
        if (isGiven)
            throw new NotSupportedException($"{name} has no GPU kernels; the managed and native backends serve it.");
    }
}
