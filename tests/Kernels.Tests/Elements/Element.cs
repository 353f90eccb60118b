namespace Kernels.Tests;

/// <summary>Conversions and error bounds of the element types, for tests that are generic over them.</summary>
internal static class Element
{
    public static double ToDouble<T>(T value) where T : unmanaged => value switch
    {
        float single => single,
        double number => number,
        Half half => (double)half,
        BrainFloat16 brain => (float)brain,
        _ => throw new NotSupportedException(typeof(T).Name),
    };

    public static T FromDouble<T>(double value) where T : unmanaged =>
        typeof(T) == typeof(float) ? (T)(object)(float)value :
        typeof(T) == typeof(double) ? (T)(object)value :
        typeof(T) == typeof(Half) ? (T)(object)(Half)(float)value :
        (T)(object)(BrainFloat16)(float)value;

    public static T[] From<T>(IEnumerable<double> values) where T : unmanaged => [.. values.Select(FromDouble<T>)];

    public static double[] ToDoubles<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        var result = new double[values.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = ToDouble(values[i]);
        return result;
    }

    /// <summary>Rounds to the type that kernels compute in: float, or double for double.</summary>
    public static double RoundToCompute<T>(double value) where T : unmanaged => typeof(T) == typeof(double) ? value : (float)value;

    /// <summary>The unit roundoff of the compute type.</summary>
    public static double ComputeRoundoff<T>() where T : unmanaged => Math.ScaleB(1, typeof(T) == typeof(double) ? -53 : -24);

    /// <summary>The unit roundoff of storage, on top of the compute type's error; 0 where they are the same type.</summary>
    public static double StorageRoundoff<T>() where T : unmanaged =>
        typeof(T) == typeof(Half) ? Math.ScaleB(1, -11) : typeof(T) == typeof(BrainFloat16) ? Math.ScaleB(1, -8) : 0;

    /// <summary>The smallest denormal number: results below the normal range may be off by one of it.</summary>
    public static double SmallestDenormal<T>() where T : unmanaged =>
        typeof(T) == typeof(double) ? double.Epsilon : typeof(T) == typeof(Half) ? Math.ScaleB(1, -24) : typeof(T) == typeof(BrainFloat16)
        ? Math.ScaleB(1, -133) : float.Epsilon;

    /// <summary>The largest finite number.</summary>
    public static double Largest<T>() where T : unmanaged =>
        typeof(T) == typeof(double) ? double.MaxValue : typeof(T) == typeof(Half) ? 65504 : typeof(T) == typeof(BrainFloat16)
        ? (float)BrainFloat16.FromBits(0x7F7F) : float.MaxValue;
}
