using System.Numerics;

namespace Kernels.Core.SpGemm;

/// <summary>The word for a type of sparse values in identity strings.</summary>
internal static class SparseElement
{
    public static string Token<T>() =>
        typeof(T) == typeof(double) ? "f64" :
        typeof(T) == typeof(float) ? "f32" :
        typeof(T) == typeof(int) ? "i32" :
        typeof(T) == typeof(long) ? "i64" :
        typeof(T) == typeof(bool) ? "bool" :
        typeof(T) == typeof(Complex) ? "c128" :
        throw new NotSupportedException($"Sparse values of type {typeof(T)} have no kernels: use float, double, int, long, bool or Complex.");
}
