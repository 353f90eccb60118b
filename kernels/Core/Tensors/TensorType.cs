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

    /// <summary><see cref="Kernels.BrainFloat16"/>.</summary>
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

    /// <summary>Four bits: 2 exponent and 1 fraction bits; two to a byte. Read as bytes, as are the other types that .NET lacks.</summary>
    Float4,

    /// <summary>Six bits: 2 exponent and 3 fraction bits.</summary>
    Float6E2M3,

    /// <summary>Six bits: 3 exponent and 2 fraction bits.</summary>
    Float6E3M2,

    /// <summary>One byte: 4 exponent and 3 fraction bits, without infinities and negative zero.</summary>
    Float8E4M3Fnuz,

    /// <summary>One byte: 5 exponent and 2 fraction bits, without infinities and negative zero.</summary>
    Float8E5M2Fnuz,

    /// <summary>A complex number: two <see cref="float"/>s.</summary>
    Complex64,
}

/// <summary>Names and sizes of <see cref="TensorType"/>, in one table.</summary>
internal static class TensorTypes
{
    // Safetensors: the names of huggingface/safetensors, "Format". NumPy: numpy.lib.format, little-endian; null where NumPy has no such type.
    private static readonly (TensorType Type, int Bits, string Safetensors, string? NumPy, Type? Element)[] s_table =
    [
        (TensorType.Boolean, 8, "BOOL", "|b1", typeof(bool)),
        (TensorType.UInt8, 8, "U8", "|u1", typeof(byte)),
        (TensorType.Int8, 8, "I8", "|i1", typeof(sbyte)),
        (TensorType.Float8E4M3, 8, "F8_E4M3", null, null),
        (TensorType.Float8E5M2, 8, "F8_E5M2", null, null),
        (TensorType.Float8E8M0, 8, "F8_E8M0", null, null),
        (TensorType.Int16, 16, "I16", "<i2", typeof(short)),
        (TensorType.UInt16, 16, "U16", "<u2", typeof(ushort)),
        (TensorType.Float16, 16, "F16", "<f2", typeof(Half)),
        (TensorType.BFloat16, 16, "BF16", null, typeof(BrainFloat16)),
        (TensorType.Int32, 32, "I32", "<i4", typeof(int)),
        (TensorType.UInt32, 32, "U32", "<u4", typeof(uint)),
        (TensorType.Float32, 32, "F32", "<f4", typeof(float)),
        (TensorType.Int64, 64, "I64", "<i8", typeof(long)),
        (TensorType.UInt64, 64, "U64", "<u8", typeof(ulong)),
        (TensorType.Float64, 64, "F64", "<f8", typeof(double)),
        (TensorType.Float4, 4, "F4", null, null),
        (TensorType.Float6E2M3, 6, "F6_E2M3", null, null),
        (TensorType.Float6E3M2, 6, "F6_E3M2", null, null),
        (TensorType.Float8E4M3Fnuz, 8, "F8_E4M3FNUZ", null, null),
        (TensorType.Float8E5M2Fnuz, 8, "F8_E5M2FNUZ", null, null),
        (TensorType.Complex64, 64, "C64", null, null),
    ];

    /// <summary>Bits of an element: of some types fewer than a byte.</summary>
    public static int Bits(TensorType type) => s_table[(int)type].Bits;

    public static string SafetensorsName(TensorType type) => s_table[(int)type].Safetensors;

    public static string? NumPyName(TensorType type) => s_table[(int)type].NumPy;

    public static TensorType? FromSafetensors(string name) => Find(entry => entry.Safetensors == name);

    public static TensorType? FromNumPy(string name) => Find(entry => entry.NumPy == name);

    /// <summary>The type whose elements are <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    public static TensorType Of<T>() where T : unmanaged =>
        Find(entry => entry.Element == typeof(T)) ?? throw new NotSupportedException($"no tensor has elements of type {typeof(T)}");

    /// <summary>Whether a tensor of the type may be read as <typeparamref name="T"/>: as bytes, also those of one byte and those that .NET lacks.</summary>
    public static bool IsReadAs<T>(TensorType type) where T : unmanaged =>
        s_table[(int)type].Element == typeof(T) || (typeof(T) == typeof(byte) && (s_table[(int)type].Element is null || Bits(type) == 8));

    private static TensorType? Find(Predicate<(TensorType Type, int Bits, string Safetensors, string? NumPy, Type? Element)> match)
    {
        int index = Array.FindIndex(s_table, match);
        return index < 0 ? null : s_table[index].Type;
    }
}
