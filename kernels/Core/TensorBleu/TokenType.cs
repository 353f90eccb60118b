namespace Kernels.Core.TensorBleu;

/// <summary>The word for a type of token ids in identity strings.</summary>
internal static class TokenType
{
    public static string Of<T>() =>
        typeof(T) == typeof(int) ? "i32" :
        typeof(T) == typeof(long) ? "i64" :
        typeof(T) == typeof(ushort) ? "u16" :
        typeof(T) == typeof(uint) ? "u32" :
        throw new NotSupportedException($"Token ids of type {typeof(T)} have no kernels: use int, long, ushort or uint.");
}
