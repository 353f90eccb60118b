using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CommunityToolkit.HighPerformance;

namespace Kernels.Core.Matrices;

/// <summary>Matrices with gaps between their rows as plain spans with a stride.</summary>
internal static class StridedRows
{
    /// <summary>Elements from one row's start to the next; the width where there is no next.</summary>
    public static long Stride<T>(ReadOnlySpan2D<T> matrix) where T : unmanaged =>
        matrix.Height < 2 || matrix.Width == 0
            ? matrix.Width
            : Unsafe.ByteOffset(in matrix.DangerousGetReferenceAt(0, 0), in matrix.DangerousGetReferenceAt(1, 0)) / Unsafe.SizeOf<T>();

    /// <summary>The elements from the first to the last one, gaps included.</summary>
    public static ReadOnlySpan<T> Flatten<T>(ReadOnlySpan2D<T> matrix, long extent) where T : unmanaged =>
        extent == 0 ? default : MemoryMarshal.CreateReadOnlySpan(ref matrix.DangerousGetReference(), checked((int)extent));

    /// <summary>The same, to write to.</summary>
    public static Span<T> FlattenWritable<T>(Span2D<T> matrix, long extent) where T : unmanaged =>
        extent == 0 ? default : MemoryMarshal.CreateSpan(ref matrix.DangerousGetReference(), checked((int)extent));
}
