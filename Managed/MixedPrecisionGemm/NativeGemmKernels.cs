using Kernels.Cpu;
using Kernels.Interop;

namespace Kernels;

/// <summary>An instruction set of the native library, as a type.</summary>
internal interface INativeGemmIsa
{
    static abstract NativeIsa Isa { get; }
}

/// <summary>
/// Native micro-kernels under the managed driver: the eight-bit ones. Exact arithmetic stays with <typeparamref name="TExact"/>, since it is fused multiply-adds
/// in any language, and what prepares activations and writes results is the driver's.
/// </summary>
internal readonly unsafe struct NativeGemmKernels<TExact, TIsa, TFormat> : IGemmKernels
    where TExact : struct, IGemmKernels
    where TIsa : struct, INativeGemmIsa
    where TFormat : struct, IWeightFormat
{
    public static void AddExact(in GemmSegment segment, in ActivationSegment activations, float* sums) => TExact.AddExact(segment, activations, sums);

    public static void AddInt8(in GemmSegment segment, in ActivationSegment activations, float* sums)
    {
        var nativeSegment = new NativeGemmSegment
        {
            Weights = segment.Weights,
            Scales = segment.Scales,
            ZeroPoints = segment.ZeroPoints,
            ScaleType = (int)TypeOf(segment.ScaleType),
            SymmetricZero = (int)segment.SymmetricZero,
            StepCount = segment.StepCount,
            Bits = typeof(TFormat) == typeof(U8Weights) ? 8 : 4,
        };
        var nativeActivations = new NativeGemmActivations
        {
            Values = activations.Values,
            Scales = activations.Scales,
            Sums = activations.Sums,
            RowCount = activations.RowCount,
        };
        NativeKernels.Check(MixedPrecisionGemmNativeMethods.AddInt8(TIsa.Isa, &nativeSegment, &nativeActivations, sums));
    }

    private static NativeElementType TypeOf(ScaleType type) => type switch
    {
        ScaleType.Float16 => NativeElementType.F16,
        ScaleType.BFloat16 => NativeElementType.BF16,
        _ => NativeElementType.F32,
    };
}
