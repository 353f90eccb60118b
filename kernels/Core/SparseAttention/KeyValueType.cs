namespace Kernels;

/// <summary>How keys and values are stored. Arithmetic is in float throughout.</summary>
public enum KeyValueType
{
    /// <summary>IEEE binary32.</summary>
    Float32,

    /// <summary>IEEE binary16.</summary>
    Float16,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16,

    /// <summary>Signed bytes times a scale for each token and head, largest magnitude / 127.</summary>
    Int8,
}

/// <summary>What the family knows of <see cref="KeyValueType"/>.</summary>
internal static class KeyValueTypes
{
    public static int ElementBytes(this KeyValueType type) => type switch
    {
        KeyValueType.Float32 => sizeof(float),
        KeyValueType.Int8 => sizeof(sbyte),
        _ => sizeof(ushort),
    };

    public static KeyValueType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? KeyValueType.Float32 :
        typeof(T) == typeof(Half) ? KeyValueType.Float16 :
        typeof(T) == typeof(BrainFloat16) ? KeyValueType.BFloat16 :
        throw new NotSupportedException($"The element type {typeof(T)} has no attention kernels: use float, Half or Kernels.BrainFloat16.");

    /// <summary>The types of an identity string: queries, keys and values, outputs.</summary>
    public static string Token(this KeyValueType type) => type switch
    {
        KeyValueType.Float32 => "f32",
        KeyValueType.Float16 => "f32_f16_f32",
        KeyValueType.BFloat16 => "f32_bf16_f32",
        _ => "f32_i8_f32",
    };
}
