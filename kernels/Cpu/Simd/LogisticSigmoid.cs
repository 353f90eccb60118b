using System.Runtime.CompilerServices;

namespace Kernels.Cpu.Simd;

/// <summary>
/// The logistic function 1 / (1 + exp(-u)), by the exponential with its argument held within the range of normal results; relative error below 3 u (2^-24 or
/// 2^-53), NaN gives NaN. Beyond the clamp the result is 1, or the smallest the clamp allows (1.6e-38 in float, 4e-308 in double), never 0.
/// </summary>
internal static class LogisticSigmoid<TSimd, V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    // exp of it, and its reciprocal, are normal numbers.
    private const double SingleClamp = 87, DoubleClamp = 708;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Evaluate(V u)
    {
        V floor = TSimd.Broadcast(ComputeType.FromDouble<T>(typeof(T) == typeof(float) ? -SingleClamp : -DoubleClamp));
        V one = TSimd.Broadcast(ComputeType.FromDouble<T>(1)), minusOne = TSimd.Broadcast(ComputeType.FromDouble<T>(-1));
        // Held from below, negated, held from below again; NaN passes as the second operand.
        V x = TSimd.MaxKeepingSecond(floor, TSimd.Multiply(minusOne, TSimd.MaxKeepingSecond(floor, u)));
        V m = ExtendedExponential<TSimd, V, T>.Evaluate(x, out V z);
        V power = TSimd.ExponentOf(z, TSimd.BroadcastBits((long)FloatFormat.ExponentBias<T>() << FloatFormat.FractionBits<T>()));
        return TSimd.Divide(one, TSimd.MultiplyAdd(m, power, one));
    }
}
