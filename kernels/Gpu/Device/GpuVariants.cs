using Kernels.Core.Elements;

namespace Kernels.Gpu;

/// <summary>
/// The GPU rows of the catalogue: <c>softmax/f32/gpu/ilgpu</c>, <c>mixed_precision_gemm/f16_u4_f16/gpu/ilgpu</c> and the like. They are bound to a device that
/// the caller opens, and so are never chosen by the dispatch of the base package.
/// </summary>
public static class GpuVariants
{
    private static readonly string[] s_floats = [TypeName.Of<float>(), TypeName.Of<Half>(), TypeName.Of<BrainFloat16>()];

    private static readonly string[] s_weights = ["u4", "u8", "nf4", "fp4"];

    /// <summary>The variants of every family, available where there is a GPU; emulated where only ILGPU's CPU accelerator can run them.</summary>
    /// <param name="devices">As <see cref="GpuDevice.Enumerate"/> gave them.</param>
    public static IReadOnlyList<KernelVariant> On(IReadOnlyList<GpuDeviceInfo> devices)
    {
        bool hasGpu = devices.Any(device => device.IsPresent && device.Kind != GpuDeviceKind.Cpu);
        VariantAvailability availability = hasGpu ? VariantAvailability.Available : VariantAvailability.Emulated;
        string reason = hasGpu ? "" : string.Join("; ", devices.Where(device => !device.IsPresent).Select(device => device.Reason));
        return
        [
            .. s_floats.Select(types => Variant("softmax", types, availability, reason)),
            .. s_weights.SelectMany(weights => s_floats.Select(types => Variant("mixed_precision_gemm", $"{types}_{weights}_{types}", availability, reason))),
            .. s_floats.Select(types => Variant("int8_decomposition", $"{types}_i8_{types}", availability, reason)),
            Variant("para_rnn", TypeName.Of<float>(), availability, reason),
            Variant("tensor_bleu", TypeName.Of<int>(), availability, reason),
        ];
    }

    /// <summary>The identity of softmax of one element type.</summary>
    internal static string Softmax<T>() where T : unmanaged => Identity("softmax", TypeName.Of<T>());

    /// <summary>The identity of products of one element type and one kind of weights.</summary>
    internal static string MixedPrecisionGemm<T>(QuantizationFormat format) where T : unmanaged
    {
        string weights = format.Type switch { QuantizedType.Nf4 => "nf4", QuantizedType.Fp4 => "fp4", _ => format.IsEightBit ? "u8" : "u4" };
        return Identity("mixed_precision_gemm", $"{TypeName.Of<T>()}_{weights}_{TypeName.Of<T>()}");
    }

    /// <summary>The identity of eight-bit products of one element type.</summary>
    internal static string Int8Decomposition<T>() where T : unmanaged => Identity("int8_decomposition", $"{TypeName.Of<T>()}_i8_{TypeName.Of<T>()}");

    /// <summary>The identity of recurrences.</summary>
    internal static string ParaRnn => Identity("para_rnn", TypeName.Of<float>());

    /// <summary>The identity of BLEU.</summary>
    internal static string TensorBleu => Identity("tensor_bleu", TypeName.Of<int>());

    private static string Identity(string family, string types) => Variant(family, types, VariantAvailability.Available, "").Identity;

    private static KernelVariant Variant(string family, string types, VariantAvailability availability, string reason) =>
        new(family, types, "gpu", "ilgpu", availability, reason);
}
