using Kernels.Core.Softmax;

namespace Kernels.Gpu;

/// <summary>The argument checks that only the GPU door needs; the others are in Core.</summary>
internal static class SoftmaxGpuChecks
{
    public static void Buffers<T>(GpuDevice device, GpuBuffer<T> logits, GpuBuffer<T> output, SoftmaxOperation operation, string outputName) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(output, outputName);
        GpuChecks.Same(device, logits.Device, nameof(logits));
        GpuChecks.Same(device, output.Device, outputName);
        if (operation == SoftmaxOperation.LogSumExp)
            GpuChecks.Distinct(output, logits, outputName, nameof(logits));
        Length(logits, nameof(logits));
    }

    public static void Length<T>(GpuBuffer<T> buffer, string name) where T : unmanaged
    {
        if (buffer.Length > int.MaxValue)
            throw new ArgumentException($"{buffer.Length} elements are more than the {int.MaxValue} that one call takes", name);
    }

    public static void GradientOptions<T>(in SoftmaxGradientOptions<T> options) where T : unmanaged
    {
        GpuChecks.Variant(options.Kernel, GpuVariants.Softmax<T>());
        Refuse(options.SoftCap != 0, nameof(options.SoftCap));
    }

    public static void Options<T>(in SoftmaxOptions<T> options) where T : unmanaged
    {
        GpuChecks.Variant(options.Kernel, GpuVariants.Softmax<T>());
        Refuse(options.SoftCap != 0, nameof(options.SoftCap));
        Refuse(!options.AdditiveMask.IsEmpty, nameof(options.AdditiveMask));
        Refuse(!options.BooleanMask.IsEmpty, nameof(options.BooleanMask));
        Refuse(!options.RowLengths.IsEmpty, nameof(options.RowLengths));
    }

    private static void Refuse(bool isGiven, string name)
    {
        if (isGiven)
            throw new NotSupportedException($"{name} has no GPU kernels; the managed and native backends serve it.");
    }
}
