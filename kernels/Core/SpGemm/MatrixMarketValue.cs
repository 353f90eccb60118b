using System.Numerics;

namespace Kernels;

/// <summary>Values of files as values of a type.</summary>
internal static class MatrixMarketValue
{
    /// <summary>Whether this field can be read as this type: nothing may be lost but roundings.</summary>
    public static bool CanRead<T>(MatrixMarketField field) => field switch
    {
        MatrixMarketField.Complex => typeof(T) == typeof(Complex),
        MatrixMarketField.Real => typeof(T) == typeof(double) || typeof(T) == typeof(float) || typeof(T) == typeof(Complex),
        _ => true,
    };

    /// <summary>The next value of a line; false if there is none that fits the type.</summary>
    public static bool TryRead<T>(ref MatrixMarketCursor cursor, MatrixMarketField field, out T value) where T : unmanaged
    {
        value = default;
        double real = 1, imaginary = 0;
        long integer = 1;
        bool isRead = field switch
        {
            MatrixMarketField.Real => cursor.TryReal(out real),
            MatrixMarketField.Complex => cursor.TryReal(out real) && cursor.TryReal(out imaginary),
            MatrixMarketField.Integer => cursor.TryInteger(out integer),
            _ => true,
        };
        if (!isRead)
            return false;
        if (field is MatrixMarketField.Integer or MatrixMarketField.Pattern)
            return TryConvert(integer, out value);
        if (typeof(T) == typeof(Complex))
            value = (T)(object)new Complex(real, imaginary);
        else if (typeof(T) == typeof(double))
            value = (T)(object)real;
        else
            return TryNarrow(real, out value);
        return true;
    }

    /// <summary>The mirror image of a value.</summary>
    public static T Mirror<T>(T value, MatrixMarketSymmetry symmetry) where T : unmanaged => symmetry switch
    {
        MatrixMarketSymmetry.SkewSymmetric => Negate(value),
        MatrixMarketSymmetry.Hermitian when typeof(T) == typeof(Complex) => (T)(object)Complex.Conjugate((Complex)(object)value),
        _ => value,
    };

    // A finite number beyond float's range may not pass for infinity.
    private static bool TryNarrow<T>(double real, out T value) where T : unmanaged
    {
        float single = (float)real;
        value = (T)(object)single;
        return float.IsFinite(single) || !double.IsFinite(real);
    }

    private static bool TryConvert<T>(long integer, out T value) where T : unmanaged
    {
        value =
            typeof(T) == typeof(double) ? (T)(object)(double)integer :
            typeof(T) == typeof(float) ? (T)(object)(float)integer :
            typeof(T) == typeof(Complex) ? (T)(object)new Complex(integer, 0) :
            typeof(T) == typeof(long) ? (T)(object)integer :
            typeof(T) == typeof(int) ? (T)(object)(int)integer :
            (T)(object)(integer != 0);
        return typeof(T) != typeof(int) || integer is >= int.MinValue and <= int.MaxValue;
    }

    private static T Negate<T>(T value) where T : unmanaged =>
        typeof(T) == typeof(double) ? (T)(object)-(double)(object)value :
        typeof(T) == typeof(float) ? (T)(object)-(float)(object)value :
        typeof(T) == typeof(Complex) ? (T)(object)-(Complex)(object)value :
        typeof(T) == typeof(long) ? (T)(object)-(long)(object)value :
        typeof(T) == typeof(int) ? (T)(object)-(int)(object)value :
        value;
}

/// <summary>The addition of any type of sparse values, for duplicates.</summary>
internal readonly struct EntrySum<T> : ISemiring<T> where T : unmanaged
{
    public static T Zero => default;

    public static T Add(T sum, T product) =>
        typeof(T) == typeof(double) ? (T)(object)((double)(object)sum + (double)(object)product) :
        typeof(T) == typeof(float) ? (T)(object)((float)(object)sum + (float)(object)product) :
        typeof(T) == typeof(Complex) ? (T)(object)((Complex)(object)sum + (Complex)(object)product) :
        typeof(T) == typeof(long) ? (T)(object)((long)(object)sum + (long)(object)product) :
        typeof(T) == typeof(int) ? (T)(object)((int)(object)sum + (int)(object)product) :
        (T)(object)((bool)(object)sum | (bool)(object)product);

    public static T Multiply(T left, T right) => throw new NotSupportedException("duplicates are added, not multiplied");
}
