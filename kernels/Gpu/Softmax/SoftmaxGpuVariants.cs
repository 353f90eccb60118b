using Kernels.Core.Elements;

namespace Kernels.Gpu;

/// <summary>
/// The GPU rows of the catalogue: <c>softmax/f32/gpu/ilgpu</c> and the like. They are bound to a device that the caller opens, and so are never chosen
/// by the dispatch of the base package.
/// </summary>
public static class SoftmaxGpuVariants
{
    private static readonly string[] Types = [ElementToken.Of<float>(), ElementToken.Of<Half>(), ElementToken.Of<BFloat16>()];

    /// <summary>The variants, available where there is a GPU; emulated where only ILGPU's CPU accelerator can run them.</summary>
    /// <param name="devices">As <see cref="GpuDevice.Enumerate"/> gave them.</param>
    public static IReadOnlyList<KernelVariant> On(IReadOnlyList<GpuDeviceInfo> devices)
    {
        bool hasGpu = devices.Any(device => device.IsPresent && device.Kind != GpuDeviceKind.Cpu);
        VariantAvailability availability = hasGpu ? VariantAvailability.Available : VariantAvailability.Emulated;
        string reason = hasGpu ? "" : string.Join("; ", devices.Where(device => !device.IsPresent).Select(device => device.Reason));
        return [.. Types.Select(types => Variant(types, availability, reason))];
    }

    /// <summary>The identity of the variant of one element type.</summary>
    internal static string Identity<T>() => Variant(ElementToken.Of<T>(), VariantAvailability.Available, "").Identity;

    private static KernelVariant Variant(string types, VariantAvailability availability, string reason) => new("softmax", types, "gpu", "ilgpu", availability, reason);
}
