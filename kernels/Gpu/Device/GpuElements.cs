using ILGPU;

namespace Kernels.Gpu;

/// <summary>How an element of device memory becomes a float and back: a type argument of kernels.</summary>
/// <typeparam name="TStorage">What the memory holds, as ILGPU sees it: 16-bit floats are their bits, because not every OpenCL device knows a half.</typeparam>
internal interface IGpuElement<TStorage> where TStorage : unmanaged
{
    /// <summary>Widens without loss.</summary>
    static abstract float Load(TStorage value);

    /// <summary>Rounds to nearest, ties to even.</summary>
    static abstract TStorage Store(float value);
}

/// <summary>IEEE binary32.</summary>
internal readonly struct Float32Element : IGpuElement<float>
{
    public static float Load(float value) => value;

    public static float Store(float value) => value;
}

/// <summary>IEEE binary16 in 16 bits: 1 sign, 5 exponent, 10 fraction.</summary>
internal readonly struct Float16Element : IGpuElement<ushort>
{
    private const int DroppedBits = 13;
    private const uint SignBit = 0x8000, Infinity = 0x7C00, QuietNaN = 0x7E00, FractionMask = 0x03FF;
    // 2^16 as a float's bits: what reaches it overflows; and 2^-14, the smallest normal half.
    private const uint Overflow = 0x47800000, SmallestNormal = 0x38800000, FloatInfinity = 0x7F800000;
    // The exponent biases differ by 127 - 15.
    private const uint BiasDifference = 112u << 23;
    // Adding 0.5 to a number below 2^-14 leaves its value in units of 2^-24, the spacing of subnormal halves, in the low bits: rounded by the addition.
    private const float SubnormalAnchor = 0.5f, SubnormalSpacing = 1f / (1 << 24);

    public static float Load(ushort value)
    {
        uint sign = (value & SignBit) << 16, magnitude = value & (SignBit - 1);
        if (magnitude <= FractionMask)
            return Interop.IntAsFloat(Interop.FloatAsInt((int)magnitude * SubnormalSpacing) | sign);
        uint bits = (magnitude << DroppedBits) + BiasDifference;
        if (magnitude >= Infinity)
            bits |= FloatInfinity;
        return Interop.IntAsFloat(bits | sign);
    }

    public static ushort Store(float value)
    {
        uint bits = Interop.FloatAsInt(value), sign = (bits >> 16) & SignBit, magnitude = bits & 0x7FFFFFFF;
        uint half;
        if (magnitude > FloatInfinity)
            half = QuietNaN;
        else if (magnitude >= Overflow)
            half = Infinity;
        else if (magnitude < SmallestNormal)
            half = Interop.FloatAsInt(Interop.IntAsFloat(magnitude) + SubnormalAnchor) - Interop.FloatAsInt(SubnormalAnchor);
        else
            half = (magnitude - BiasDifference + 0xFFF + ((magnitude >> DroppedBits) & 1)) >> DroppedBits;
        return (ushort)(half | sign);
    }
}

/// <summary>The upper half of an IEEE binary32: see <see cref="BrainFloat16"/>.</summary>
internal readonly struct BFloat16Element : IGpuElement<ushort>
{
    private const int DroppedBits = 16;
    private const uint QuietBit = 1u << 22;

    public static float Load(ushort value) => Interop.IntAsFloat((uint)value << DroppedBits);

    public static ushort Store(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        if (float.IsNaN(value))
            return (ushort)((bits | QuietBit) >> DroppedBits);
        // Half of the last kept place less one, plus the last kept bit: carries exactly when the rest is above half, or half and odd.
        return (ushort)((bits + 0x7FFF + ((bits >> DroppedBits) & 1)) >> DroppedBits);
    }
}
