using System.Runtime.InteropServices;
using Kernels.Native.Library;

namespace Kernels.Native.SparseAttention;

/// <summary>kernels_attention_rows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeAttentionRows
{
    public byte** Stored;
    public byte** Ahead;
    public float* Queries;
    public float* Scores;
    public float* Output;
    public int StoredCount;
    public int QueryCount;
    public int HeadDimension;
    public int Stride;
}

/// <summary>kernels_attention_planes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeAttentionPlanes
{
    public byte** High;
    public byte** Low;
    public byte** Ahead;
    public float** TokenScales;
    public sbyte* Codes;
    public float* Scales;
    public float* Offsets;
    public float* Scores;
    public long Stride;
    public int BlockCount;
    public int StepCount;
    public int HeadCount;
}

/// <summary>The exports of <c>native/include/kernels/sparse_attention.h</c>.</summary>
internal static unsafe partial class SparseAttentionNativeMethods
{
    // A tile takes from half a microsecond (four query rows of 128) to a hundred (many of them, without SIMD), which a collection must not wait for: the
    // transition stays.
    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_attention_score_keys")]
    public static partial int ScoreKeys(int isa, NativeElementType type, NativeAttentionRows* rows);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_attention_add_values")]
    public static partial int AddValues(int isa, NativeElementType type, NativeAttentionRows* rows);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_attention_score_planes")]
    public static partial int ScorePlanes(int isa, NativeAttentionPlanes* planes);
}
