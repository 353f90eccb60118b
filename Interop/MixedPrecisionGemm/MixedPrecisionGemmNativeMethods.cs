using System.Runtime.InteropServices;

namespace Kernels.Interop;

/// <summary>kernels_gemm_segment.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeGemmSegment
{
    public byte* Weights;
    public void* Scales;
    public byte* ZeroPoints;
    public int ScaleType;
    public int SymmetricZero;
    public int StepCount;
    public int Bits;
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
    // A segment takes from 0.1 microseconds (one row) to a few: leaving cooperative mode would cost a tenth of that.
    [SuppressGCTransition]
    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_gemm_add_int8")]
    public static partial int AddInt8(NativeIsa isa, NativeGemmSegment* segment, NativeGemmActivations* activations, void* sums);
}
