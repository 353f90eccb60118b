using System.Runtime.InteropServices;
using Kernels.Native.Library;

namespace Kernels.Native.Int8Decomposition;

/// <summary>kernels_int8_block.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeInt8Block
{
    public byte* Weights;
    public void* Activations;
    public long StepBytes;
    public long TileBytes;
    public int RowCount;
    public int StepCount;
}

/// <summary>The exports of <c>native/include/kernels/int8_decomposition.h</c>.</summary>
internal static unsafe partial class Int8DecompositionNativeMethods
{
    // A block takes from half a microsecond (one row) to milliseconds (192 rows without SIMD), which a collection must not wait for: the transition stays.
    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_int8_add")]
    public static partial int Add(int isa, NativeInt8Block* block, int* sums);
}
