using System.Globalization;
using System.Runtime.CompilerServices;

namespace Kernels;

/// <summary>
/// A 16-bit "brain" float: the upper half of an IEEE binary32 (1 sign, 8 exponent and 7 fraction bits). A storage type:
/// kernels widen it to <see cref="float"/>, compute there, and round once on the way back.
/// </summary>
/// <remarks>
/// Conversion from <see cref="float"/> rounds to nearest, ties to even; NaN stays NaN (made quiet), infinities and the sign of zero are kept. The name leaves
/// <c>BFloat16</c> to <c>System.Numerics</c>, which has a type of the same bits from .NET 11 on: <see cref="FromBits"/> and <see cref="Bits"/> convert, or a
/// cast of spans.
/// </remarks>
public readonly struct BrainFloat16 : IEquatable<BrainFloat16>, IComparable<BrainFloat16>
{
    private const int DroppedBits = 16;
    private const uint QuietBit = 1u << 22;

    private readonly ushort _bits;

    private BrainFloat16(ushort bits) => _bits = bits;

    /// <summary>The value whose bit pattern is <paramref name="bits"/>.</summary>
    public static BrainFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bit pattern.</summary>
    public ushort Bits => _bits;

    /// <summary>Widens without loss.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator float(BrainFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value._bits << DroppedBits);

    /// <summary>Rounds to nearest, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BrainFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return new((ushort)((bits | QuietBit) >> DroppedBits));
        // Half of the last kept place less one, plus the last kept bit: carries exactly when the rest is above half, or half and odd.
        uint rounding = 0x7FFFu + ((bits >> DroppedBits) & 1);
        return new((ushort)((bits + rounding) >> DroppedBits));
    }

    /// <summary>Whether the value is not a number.</summary>
    public static bool IsNaN(BrainFloat16 value) => float.IsNaN(value);

    /// <summary>Equality of values: NaN equals NaN, and zero equals negative zero, as in <see cref="float.Equals(float)"/>.</summary>
    public bool Equals(BrainFloat16 other) => ((float)this).Equals((float)other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BrainFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(BrainFloat16 other) => ((float)this).CompareTo((float)other);

    /// <summary>The decimal form of the widened value, in the invariant culture.</summary>
    public override string ToString() => ((float)this).ToString(CultureInfo.InvariantCulture);

    /// <summary>Equality of values by the rules of <see cref="float"/> (NaN differs from itself).</summary>
    public static bool operator ==(BrainFloat16 left, BrainFloat16 right) => (float)left == (float)right;

    /// <summary>Inequality of values by the rules of <see cref="float"/>.</summary>
    public static bool operator !=(BrainFloat16 left, BrainFloat16 right) => (float)left != (float)right;
}
