namespace Kernels.Core.Elements;

/// <summary>The word for an element type in identity strings: f64, f32, f16, bf16.</summary>
internal static class ElementToken
{
    public static string Of<T>() =>
        typeof(T) == typeof(double) ? "f64" :
        typeof(T) == typeof(float) ? "f32" :
        typeof(T) == typeof(Half) ? "f16" :
        typeof(T) == typeof(BrainFloat16) ? "bf16" :
        throw new NotSupportedException($"The element type {typeof(T)} has no kernels: use float, double, Half or Kernels.BrainFloat16.");
}
