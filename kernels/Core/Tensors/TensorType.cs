namespace Kernels;

/// <summary>The element types that tensors have in files.</summary>
public enum TensorType
{
    /// <summary>One byte, 0 or 1.</summary>
    Boolean,

    /// <summary><see cref="byte"/>.</summary>
    UInt8,

    /// <summary><see cref="sbyte"/>.</summary>
    Int8,

    /// <summary>One byte: 4 exponent and 3 fraction bits.</summary>
    Float8E4M3,

    /// <summary>One byte: 5 exponent and 2 fraction bits.</summary>
    Float8E5M2,

    /// <summary>One byte: 8 exponent bits.</summary>
    Float8E8M0,

    /// <summary><see cref="short"/>.</summary>
    Int16,

    /// <summary><see cref="ushort"/>.</summary>
    UInt16,

    /// <summary><see cref="Half"/>.</summary>
    Float16,

    /// <summary><see cref="Kernels.BFloat16"/>.</summary>
    BFloat16,

    /// <summary><see cref="int"/>.</summary>
    Int32,

    /// <summary><see cref="uint"/>.</summary>
    UInt32,

    /// <summary><see cref="float"/>.</summary>
    Float32,

    /// <summary><see cref="long"/>.</summary>
    Int64,

    /// <summary><see cref="ulong"/>.</summary>
    UInt64,

    /// <summary><see cref="double"/>.</summary>
    Float64,
}

/// <summary>Names and sizes of <see cref="TensorType"/>, in one table.</summary>
internal static class TensorTypes
{
    // Safetensors: the names of huggingface/safetensors, "Format". NumPy: numpy.lib.format, little-endian; null where NumPy has no such type.
    private static readonly (TensorType Type, int Bytes, string Safetensors, string? NumPy, Type? Element)[] s_table =
    [
        (TensorType.Boolean, 1, "BOOL", "|b1", typeof(bool)),
        (TensorType.UInt8, 1, "U8", "|u1", typeof(byte)),
        (TensorType.Int8, 1, "I8", "|i1", typeof(sbyte)),
        (TensorType.Float8E4M3, 1, "F8_E4M3", null, null),
        (TensorType.Float8E5M2, 1, "F8_E5M2", null, null),
        (TensorType.Float8E8M0, 1, "F8_E8M0", null, null),
        (TensorType.Int16, 2, "I16", "<i2", typeof(short)),
        (TensorType.UInt16, 2, "U16", "<u2", typeof(ushort)),
        (TensorType.Float16, 2, "F16", "<f2", typeof(Half)),
        (TensorType.BFloat16, 2, "BF16", null, typeof(BFloat16)),
        (TensorType.Int32, 4, "I32", "<i4", typeof(int)),
        (TensorType.UInt32, 4, "U32", "<u4", typeof(uint)),
        (TensorType.Float32, 4, "F32", "<f4", typeof(float)),
        (TensorType.Int64, 8, "I64", "<i8", typeof(long)),
        (TensorType.UInt64, 8, "U64", "<u8", typeof(ulong)),
        (TensorType.Float64, 8, "F64", "<f8", typeof(double)),
    ];

    public static int Bytes(TensorType type) => s_table[(int)type].Bytes;

    public static string SafetensorsName(TensorType type) => s_table[(int)type].Safetensors;

    public static string? NumPyName(TensorType type) => s_table[(int)type].NumPy;

    public static TensorType? FromSafetensors(string name) => Find(entry => entry.Safetensors == name);

    public static TensorType? FromNumPy(string name) => Find(entry => entry.NumPy == name);

    /// <summary>The type whose elements are <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    public static TensorType Of<T>() where T : unmanaged =>
        Find(entry => entry.Element == typeof(T)) ?? throw new NotSupportedException($"no tensor has elements of type {typeof(T)}");

    /// <summary>Whether a tensor of the type may be read as <typeparamref name="T"/>; as bytes any may.</summary>
    public static bool IsReadAs<T>(TensorType type) where T : unmanaged => typeof(T) == typeof(byte) ? Bytes(type) == 1 : s_table[(int)type].Element == typeof(T);

    private static TensorType? Find(Predicate<(TensorType Type, int Bytes, string Safetensors, string? NumPy, Type? Element)> match)
    {
        int index = Array.FindIndex(s_table, match);
        return index < 0 ? null : s_table[index].Type;
    }
}
