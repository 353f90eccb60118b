namespace Kernels.Cpu.Simd;

/// <summary>
/// 1 / divisor as the sum of two numbers of the compute type, so that x High + x Low carries the rounding of the last operation alone and not that of
/// the reciprocal.
/// </summary>
/// <remarks>
/// With x = divisor the result is exactly 1, fused or not: x High lies below 1 by at most 3 units u, where it rounds by at most u / 2, and Low, too large
/// by 8 u of itself, outweighs its own roundings. So x no larger than the divisor gives nothing above 1.
/// </remarks>
internal readonly struct SplitReciprocal<T> where T : unmanaged
{
    public readonly T High, Low;

    public SplitReciprocal(double divisor)
    {
        double epsilon = typeof(T) == typeof(float) ? 1.0 / (1 << FloatFormat.SingleFractionBits) : 1.0 / (1L << FloatFormat.DoubleFractionBits);
        double reciprocal = 1 / divisor;
        High = ComputeType.FromDouble<T>(reciprocal * (1 - epsilon));
        Low = ComputeType.FromDouble<T>(Math.FusedMultiplyAdd(-ComputeType.ToDouble(High), divisor, 1) * (reciprocal * (1 + 4 * epsilon)));
    }
}
