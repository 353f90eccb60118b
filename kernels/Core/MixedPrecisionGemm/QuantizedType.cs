namespace Kernels;

/// <summary>How one weight is stored: w = scale (q - zero), q an unsigned integer, or w = scale codebook[q].</summary>
public enum QuantizedType
{
    /// <summary>Four bits with zero 8: "u4b8", the symmetric format of MARLIN and GPTQ.</summary>
    U4,

    /// <summary>Four bits with a zero point 0 to 15 for each group and output: the format of AWQ and of asymmetric GPTQ.</summary>
    U4ZeroPoint,

    /// <summary>Eight bits with zero 128: "u8b128".</summary>
    U8,

    /// <summary>Eight bits with a zero point 0 to 255 for each group and output.</summary>
    U8ZeroPoint,

    /// <summary>
    /// Four bits that choose one of 16 quantiles of the normal distribution (QLoRA, arXiv 2305.14314, appendix E). <see cref="GemmArithmetic.Exact"/> only.
    /// </summary>
    Nf4,

    /// <summary>
    /// Four bits that choose one of the 16 numbers of bitsandbytes' fp4, a float of 1, 2 and 1 bits divided by 12. <see cref="GemmArithmetic.Exact"/> only.
    /// </summary>
    Fp4,
}

/// <summary>The type of the scales, one for each group and output.</summary>
public enum ScaleType
{
    /// <summary><see cref="Half"/>.</summary>
    Float16,

    /// <summary><see cref="Kernels.BrainFloat16"/>.</summary>
    BFloat16,

    /// <summary><see cref="float"/>.</summary>
    Float32,
}

/// <summary>Which weights there are.</summary>
public enum WeightSparsity
{
    /// <summary>All of them.</summary>
    Dense,

    /// <summary>
    /// Of 4 consecutive inputs at most 2: half of the values are stored, with 2 bits for the position of each, and half of the products are computed.
    /// <see cref="GemmArithmetic.Exact"/> only.
    /// </summary>
    TwoOfFour,
}

/// <summary>A format of quantised weights.</summary>
/// <param name="Type">How one weight is stored.</param>
/// <param name="GroupSize">The number of consecutive inputs that share a scale: any divisor of their count, or <see cref="WholeColumn"/>; null (the default)
/// for <see cref="DefaultGroupSize"/>.</param>
/// <param name="ScaleType">The type of the scales.</param>
/// <param name="Sparsity">Which weights there are; <see cref="WeightSparsity.TwoOfFour"/> goes with integer types and groups of a multiple of 4 inputs.</param>
public readonly record struct QuantizationFormat(
    QuantizedType Type = QuantizedType.U4, int? GroupSize = null, ScaleType ScaleType = ScaleType.Float16,
    WeightSparsity Sparsity = WeightSparsity.Dense)
{
    /// <summary>One group for all inputs of an output.</summary>
    public const int WholeColumn = 0;

    /// <summary>The group size that GPTQ and AWQ checkpoints mostly have.</summary>
    public const int DefaultGroupSize = 128;

    /// <summary>The inputs of a group in a matrix of that many.</summary>
    internal int GroupSizeOf(int inputCount) => GroupSize switch { null => DefaultGroupSize, WholeColumn => inputCount, { } size => size };

    internal bool HasZeroPoints => Type is QuantizedType.U4ZeroPoint or QuantizedType.U8ZeroPoint;

    internal bool IsSparse => Sparsity == WeightSparsity.TwoOfFour;

    internal bool IsEightBit => Type is QuantizedType.U8 or QuantizedType.U8ZeroPoint;

    internal bool IsCodebook => Type is QuantizedType.Nf4 or QuantizedType.Fp4;

    internal int LargestValue => IsEightBit ? byte.MaxValue : 15;

    /// <summary>The zero of a symmetric format: half of the number of values. Codebooks have none.</summary>
    internal int SymmetricZero => IsCodebook ? 0 : (LargestValue + 1) / 2;

    /// <summary>A scale as its type holds it.</summary>
    internal float RoundedScale(float scale) => ScaleType switch
    {
        ScaleType.Float16 => (float)(Half)scale,
        ScaleType.BFloat16 => (BrainFloat16)scale,
        _ =>
        scale
    };

    internal int ScaleBytes => ScaleType == ScaleType.Float32 ? sizeof(float) : sizeof(ushort);
}
