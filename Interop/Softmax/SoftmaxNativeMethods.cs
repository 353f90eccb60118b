using System.Runtime.InteropServices;
using Kernels.Core.Softmax;
using Kernels.Native.Library;

namespace Kernels.Native.Softmax;

/// <summary>kernels_softmax_rows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSoftmaxRows
{
    public void* Input;
    public void* Output;
    public void* Mask;
    public byte* BooleanMask;
    public int* RowLengths;
    public long InputRowStride;
    public long OutputRowStride;
    public long MaskRowStride;
    public long BooleanMaskRowStride;
    public double Scale;
    public double SoftCap;
    public int Operation;
    public int OuterCount;
    public int RowLength;
    public int InnerCount;
    public int CausalQueryCount;
    public int Causal;
    public int Safe;
    public int Reserved;

    public static NativeSoftmaxRows From<T>(in SoftmaxRows<T> rows) where T : unmanaged => new()
    {
        Input = rows.Input,
        Output = rows.Output,
        Mask = rows.Mask,
        BooleanMask = (byte*)rows.BooleanMask,
        RowLengths = rows.RowLengths,
        InputRowStride = rows.Shape.InputRowStride,
        OutputRowStride = rows.Shape.OutputRowStride,
        MaskRowStride = rows.MaskRowStride,
        BooleanMaskRowStride = rows.BooleanMaskRowStride,
        Scale = rows.Scale,
        SoftCap = rows.SoftCap,
        Operation = (int)rows.Operation,
        OuterCount = rows.Shape.OuterCount,
        RowLength = rows.Shape.RowLength,
        InnerCount = rows.Shape.InnerCount,
        CausalQueryCount = Math.Max(rows.CausalQueryCount, 1),
        Causal = rows.Causal ? 1 : 0,
        Safe = rows.Safe ? 1 : 0,
    };
}

/// <summary>kernels_softmax_gradient_rows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSoftmaxGradientRows
{
    public void* OutputGradient;
    public void* Result;
    public void* Logits;
    public void* LogitGradient;
    public double Scale;
    public double SoftCap;
    public int RowCount;
    public int RowLength;
    public int IsLog;
    public int Reserved;

    public static NativeSoftmaxGradientRows From<T>(in SoftmaxGradientRows<T> rows) where T : unmanaged => new()
    {
        OutputGradient = rows.OutputGradient,
        Result = rows.Result,
        Logits = rows.Logits,
        LogitGradient = rows.LogitGradient,
        Scale = rows.Scale,
        SoftCap = rows.SoftCap,
        RowCount = rows.RowCount,
        RowLength = rows.RowLength,
        IsLog = rows.IsLog ? 1 : 0,
    };
}

/// <summary>kernels_softmax_sum.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeSoftmaxSum
{
    public double Mantissa;
    public double Exponent;
    public double Shift;
    public double Maximum;
}

/// <summary>The exports of <c>native/include/kernels/softmax.h</c>.</summary>
internal static unsafe partial class SoftmaxNativeMethods
{
    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_compute")]
    public static partial int Compute(int isa, NativeElementType type, NativeSoftmaxRows* rows, long rowBegin, long rowEnd);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_tile_length")]
    public static partial long TileLength(NativeElementType type, long rowLength);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_chunk_length")]
    public static partial long ChunkLength(long rowLength);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_partial_sum")]
    public static partial int PartialSum(int isa, NativeElementType type, NativeSoftmaxRows* rows, long row, long begin, long end, NativeSoftmaxSum* sum);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_combine")]
    public static partial int Combine(NativeSoftmaxSum* parts, long count, NativeSoftmaxSum* sum);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_normalize")]
    public static partial int Normalize(int isa, NativeElementType type, NativeSoftmaxRows* rows, long row, long begin, long end, NativeSoftmaxSum* sum);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_backward")]
    public static partial int Backward(int isa, NativeElementType type, NativeSoftmaxGradientRows* rows, long rowBegin, long rowEnd);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_softmax_top_k")]
    public static partial int TopK(int isa, NativeElementType type, NativeSoftmaxRows* rows, long rowBegin, long rowEnd, void* values, int* indices, int count);
}
