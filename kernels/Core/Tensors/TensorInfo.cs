namespace Kernels;

/// <summary>What a file says of one tensor, without its elements.</summary>
public sealed class TensorInfo
{
    private readonly long[] _shape;

    /// <summary>Describes a tensor.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="shape">Its dimensions, slowest first; none for a single number. A dimension may be 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative, the bytes exceed 2^63, or there is no such type.</exception>
    public TensorInfo(string name, TensorType type, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Enum.IsDefined(type))
            throw new ArgumentOutOfRangeException(nameof(type), type, "no such element type");
        if (!TryCount(shape, TensorTypes.Bytes(type), out long count))
            throw new ArgumentOutOfRangeException(nameof(shape), string.Join(", ", shape.ToArray()), "a dimension is negative or their product too large");
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
    public long ByteCount => ElementCount * TensorTypes.Bytes(Type);

    /// <summary>The byte of the file at which the elements begin.</summary>
    public long Offset { get; }

    internal string ShapeText => $"[{string.Join(", ", _shape)}]";

    internal bool HasShape(params ReadOnlySpan<long> shape) => shape.SequenceEqual(_shape);

    /// <summary>The number of elements, if no dimension is negative and their bytes are fewer than 2^63.</summary>
    internal static bool TryCount(ReadOnlySpan<long> shape, int elementBytes, out long count)
    {
        count = 1;
        // A dimension of 0 makes any product 0, even one that would have overflowed before it.
        if (shape.Contains(0))
            count = 0;
        foreach (long dimension in shape)
        {
            if (dimension < 0 || Math.BigMul(count, dimension) is var product && product > long.MaxValue / elementBytes)
                return false;
            count = (long)product;
        }
        return true;
    }
}
