using System.Numerics;

namespace Kernels;

/// <summary>
/// The usual product: sums of products, each operation rounded on its own (no fused multiply-add), so that every machine gives the same bits. Integers wrap.
/// </summary>
public readonly struct PlusTimes<T> : ISemiring<T> where T : unmanaged, INumberBase<T>
{
    // Minus zero where there is one: -(0) is 0 in integers.
    /// <inheritdoc/>
    public static T Zero => -T.Zero;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => sum + product;

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => left * right;
}

/// <summary>Shortest paths: the minimum of sums. NaN is propagated. Integer sums wrap.</summary>
public readonly struct MinPlus<T> : ISemiring<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    /// <inheritdoc/>
    public static T Zero => Extremes<T>.Largest;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => T.Min(sum, product);

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => left + right;
}

/// <summary>Longest paths: the maximum of sums. NaN is propagated. Integer sums wrap.</summary>
public readonly struct MaxPlus<T> : ISemiring<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    /// <inheritdoc/>
    public static T Zero => Extremes<T>.Smallest;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => T.Max(sum, product);

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => left + right;
}

/// <summary>Most reliable paths: the maximum of products. NaN is propagated.</summary>
public readonly struct MaxTimes<T> : ISemiring<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    /// <inheritdoc/>
    public static T Zero => Extremes<T>.Smallest;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => T.Max(sum, product);

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => left * right;
}

/// <summary>Widest paths: the maximum of minima. NaN is propagated.</summary>
public readonly struct MaxMin<T> : ISemiring<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    /// <inheritdoc/>
    public static T Zero => Extremes<T>.Smallest;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => T.Max(sum, product);

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => T.Min(left, right);
}

/// <summary>Counts the pairs that meet: every product is 1. Common neighbours, triangles. Values are not looked at.</summary>
public readonly struct PlusPair<T> : ISemiring<T> where T : unmanaged, INumberBase<T>
{
    /// <inheritdoc/>
    public static T Zero => -T.Zero;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => sum + product;

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => T.One;
}

/// <summary>Sums of the left factor where both are present.</summary>
public readonly struct PlusFirst<T> : ISemiring<T> where T : unmanaged, INumberBase<T>
{
    /// <inheritdoc/>
    public static T Zero => -T.Zero;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => sum + product;

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => left;
}

/// <summary>Sums of the right factor where both are present.</summary>
public readonly struct PlusSecond<T> : ISemiring<T> where T : unmanaged, INumberBase<T>
{
    /// <inheritdoc/>
    public static T Zero => -T.Zero;

    /// <inheritdoc/>
    public static T Add(T sum, T product) => sum + product;

    /// <inheritdoc/>
    public static T Multiply(T left, T right) => right;
}

/// <summary>Reachability: or of ands.</summary>
public readonly struct OrAnd : ISemiring<bool>
{
    /// <inheritdoc/>
    public static bool Zero => false;

    /// <inheritdoc/>
    public static bool Add(bool sum, bool product) => sum | product;

    /// <inheritdoc/>
    public static bool Multiply(bool left, bool right) => left & right;
}

/// <summary>Infinities where the type has them, else its range.</summary>
internal static class Extremes<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static T Largest =>
        typeof(T) == typeof(double) ? (T)(object)double.PositiveInfinity : typeof(T) == typeof(float) ? (T)(object)float.PositiveInfinity : T.MaxValue;

    public static T Smallest =>
        typeof(T) == typeof(double) ? (T)(object)double.NegativeInfinity : typeof(T) == typeof(float) ? (T)(object)float.NegativeInfinity : T.MinValue;
}
