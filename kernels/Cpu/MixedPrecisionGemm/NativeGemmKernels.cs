using Kernels.Core.Machine;
using Kernels.Native.Library;
using Kernels.Native.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Native micro-kernels under the managed driver: the eight-bit ones. What prepares activations and writes results is the driver's.</summary>
internal readonly unsafe struct NativeGemmKernels<TSet, TFormat> : IGemmKernels
    where TSet : struct, INativeInstructionSet
    where TFormat : struct, IWeightFormat
{
    public static void AddExact(in GemmRun run, float* sums) =>
        throw new NotSupportedException("native code has no exact arithmetic; the table of variants does not list it");

    public static void AddInt8(in GemmRun run, float* sums)
    {
        GemmSegment first = run.Segment(0);
        ActivationSegment rows = run.Activations(0);
        var segments = new NativeGemmSegments
        {
            Weights = first.Weights,
            Scales = first.Scales,
            ZeroPoints = first.ZeroPoints,
            ScaleType = (int)TypeOf(first.ScaleType),
            SymmetricZero = (int)first.SymmetricZero,
            StepCount = first.StepCount,
            Bits = typeof(TFormat) == typeof(U8Weights) ? 8 : 4,
            SegmentCount = run.Count,
            GroupStride = run.GroupStride,
        };
        var activations = new NativeGemmActivations
        {
            Values = rows.Values,
            Scales = rows.Scales,
            Sums = rows.Sums,
            RowCount = rows.RowCount,
        };
        NativeKernels.Check(MixedPrecisionGemmNativeMethods.AddInt8(TSet.NativeNumber, &segments, &activations, sums));
    }

    private static NativeElementType TypeOf(ScaleType type) => type switch
    {
        ScaleType.Float16 => NativeElementType.F16,
        ScaleType.BFloat16 => NativeElementType.BF16,
        _ => NativeElementType.F32,
    };
}
