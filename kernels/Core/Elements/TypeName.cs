using System.Numerics;

namespace Kernels.Core.Elements;

/// <summary>The word for a type in identity strings. Which types a family has kernels for, its own checks say.</summary>
internal static class TypeName
{
    public static string Of<T>() =>
        typeof(T) == typeof(double) ? "f64" :
        typeof(T) == typeof(float) ? "f32" :
        typeof(T) == typeof(Half) ? "f16" :
        typeof(T) == typeof(BrainFloat16) ? "bf16" :
        typeof(T) == typeof(Complex) ? "c128" :
        typeof(T) == typeof(long) ? "i64" :
        typeof(T) == typeof(int) ? "i32" :
        typeof(T) == typeof(uint) ? "u32" :
        typeof(T) == typeof(ushort) ? "u16" :
        typeof(T) == typeof(bool) ? "bool" :
        throw new NotSupportedException($"{typeof(T)} has no kernels.");
}
