using System.Runtime.InteropServices;
using Kernels.Native.Library;

namespace Kernels.Native.MixedPrecisionGemm;

/// <summary>kernels_gemm_segments.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeGemmSegments
{
    public byte* Weights;
    public void* Scales;
    public byte* ZeroPoints;
    public int ScaleType;
    public int SymmetricZero;
    public int StepCount;
    public int Bits;
    public int SegmentCount;
    public int GroupStride;
}

/// <summary>kernels_gemm_activations.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeGemmActivations
{
    public void* Values;
    public void* Scales;
    public void* Sums;
    public long RowCount;
}

/// <summary>The exports of <c>native/include/kernels/mixed_precision_gemm.h</c>.</summary>
internal static unsafe partial class MixedPrecisionGemmNativeMethods
{
    // A panel takes some microseconds for one row, some hundred for many: short enough for a garbage collection to wait for.
    [SuppressGCTransition]
    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_gemm_add_int8")]
    public static partial int AddInt8(int isa, NativeGemmSegments* segments, NativeGemmActivations* activations, void* sums);
}
