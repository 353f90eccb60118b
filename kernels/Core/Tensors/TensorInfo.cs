namespace Kernels;

/// <summary>What a file says of one tensor, without its elements.</summary>
public sealed class TensorInfo
{
    private const int BitsOfByte = 8;

    private readonly long[] _shape;

    /// <summary>Describes a tensor.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="shape">Its dimensions, slowest first; none for a single number. A dimension may be 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative, the bytes exceed 2^63, elements of less than a byte do not fill whole bytes, or
    /// there is no such type.</exception>
    public TensorInfo(string name, TensorType type, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Enum.IsDefined(type))
            throw new ArgumentOutOfRangeException(nameof(type), type, "no such element type");
        if (!TryCount(shape, TensorTypes.Bits(type), out long count))
            throw new ArgumentOutOfRangeException(nameof(shape), string.Join(", ", shape.ToArray()),
                "a dimension is negative, their product too large, or the elements do not fill whole bytes");
        Name = name;
        Type = type;
        _shape = shape.ToArray();
        ElementCount = count;
    }

    internal TensorInfo(TensorInfo described, long offset) : this(described.Name, described.Type, described._shape) => Offset = offset;

    /// <summary>The name in the file.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public TensorType Type { get; }

    /// <summary>The dimensions, slowest first; none for a single number.</summary>
    public IReadOnlyList<long> Shape => _shape;

    /// <summary>The product of the dimensions.</summary>
    public long ElementCount { get; }

    /// <summary>The bytes of all elements.</summary>
    public long ByteCount => TensorTypes.Bits(Type) is var bits && bits % BitsOfByte == 0 ? ElementCount * (bits / BitsOfByte)
        : ElementCount * bits / BitsOfByte;

    /// <summary>The byte of the file at which the elements begin.</summary>
    public long Offset { get; }

    /// <summary>The elements of the tensor, or its bytes where it is read as such.</summary>
    internal long CountOf<T>() where T : unmanaged => typeof(T) == typeof(byte) ? ByteCount : ElementCount;

    internal string ShapeText => $"[{string.Join(", ", _shape)}]";

    internal bool HasShape(params ReadOnlySpan<long> shape) => shape.SequenceEqual(_shape);

    /// <summary>
    /// The number of elements, if no dimension is negative, their bytes (bits, where an element is less than a byte) are fewer than 2^63, and they fill whole
    /// bytes.
    /// </summary>
    internal static bool TryCount(ReadOnlySpan<long> shape, int elementBits, out long count)
    {
        count = 1;
        // A dimension of 0 makes any product 0, even one that would have overflowed before it.
        if (shape.Contains(0))
            count = 0;
        foreach (long dimension in shape)
        {
            if (dimension < 0 || Math.BigMul(count, dimension) is var product && product > long.MaxValue
                / (elementBits % BitsOfByte == 0 ? elementBits / BitsOfByte : elementBits))
                return false;
            count = (long)product;
        }
        return elementBits % BitsOfByte == 0 || count * elementBits % BitsOfByte == 0;
    }
}
