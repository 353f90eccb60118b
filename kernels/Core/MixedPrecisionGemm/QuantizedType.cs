namespace Kernels;

/// <summary>How one weight is stored: w = scale (q - zero), q an unsigned integer.</summary>
public enum QuantizedType
{
    /// <summary>Four bits with zero 8: "u4b8", the symmetric format of MARLIN and GPTQ.</summary>
    U4,

    /// <summary>Four bits with a zero point 0 to 15 for each group and output: the format of AWQ and of asymmetric GPTQ.</summary>
    U4ZeroPoint,

    /// <summary>Eight bits with zero 128: "u8b128".</summary>
    U8,
}

/// <summary>The type of the scales, one for each group and output.</summary>
public enum ScaleType
{
    /// <summary><see cref="Half"/>.</summary>
    Float16,

    /// <summary><see cref="Kernels.BFloat16"/>.</summary>
    BFloat16,

    /// <summary><see cref="float"/>.</summary>
    Float32,
}

/// <summary>A format of quantised weights.</summary>
/// <param name="Type">How one weight is stored.</param>
/// <param name="GroupSize">The number of consecutive inputs that share a scale: any divisor of their count, or <see cref="WholeColumn"/>.</param>
/// <param name="ScaleType">The type of the scales.</param>
public readonly record struct QuantizationFormat(
    QuantizedType Type = QuantizedType.U4, int GroupSize = QuantizationFormat.DefaultGroupSize, ScaleType ScaleType = ScaleType.Float16)
{
    /// <summary>One group for all inputs of an output.</summary>
    public const int WholeColumn = 0;

    /// <summary>The group size that GPTQ and AWQ checkpoints mostly have.</summary>
    public const int DefaultGroupSize = 128;

    internal bool HasZeroPoints => Type == QuantizedType.U4ZeroPoint;

    internal int LargestValue => Type == QuantizedType.U8 ? byte.MaxValue : 15;

    /// <summary>The zero of a symmetric format: half of the number of values.</summary>
    internal int SymmetricZero => (LargestValue + 1) / 2;

    internal int ScaleBytes => ScaleType == ScaleType.Float32 ? sizeof(float) : sizeof(ushort);
}
