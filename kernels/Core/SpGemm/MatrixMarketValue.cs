using System.Numerics;

namespace Kernels.Core.SpGemm;

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
        if (field is MatrixMarketField.Real or MatrixMarketField.Complex)
            return TryReal(ref cursor, field == MatrixMarketField.Complex, out value);
        if (field == MatrixMarketField.Pattern)
            return TryConvert(1, out value);
        MatrixMarketCursor begin = cursor;
        if (cursor.TryInteger(out long integer))
            return TryConvert(integer, out value);
        // Beyond 64 bits: floating-point types still take it, rounded once.
        cursor = begin;
        value = default;
        return CanRead<T>(MatrixMarketField.Real) && cursor.IsAtInteger && TryReal(ref cursor, isComplex: false, out value);
    }

    /// <summary>Whether it is zero, of either sign.</summary>
    public static bool IsZero<T>(T value) where T : unmanaged => typeof(T) == typeof(Complex) ? (Complex)(object)value == 0
        : EqualityComparer<T>.Default.Equals(value, default);

    /// <summary>Whether the negative of a value is a value of the type: all but the least integers.</summary>
    public static bool CanNegate<T>(T value) where T : unmanaged =>
        typeof(T) == typeof(long) ? (long)(object)value != long.MinValue :
        typeof(T) != typeof(int) || (int)(object)value != int.MinValue;

    /// <summary>The mirror image of a value, with zeros positive.</summary>
    public static T Mirror<T>(T value, MatrixMarketSymmetry symmetry) where T : unmanaged => symmetry switch
    {
        MatrixMarketSymmetry.SkewSymmetric => Negate(value),
        MatrixMarketSymmetry.Hermitian when typeof(T) == typeof(Complex) => (T)(object)Conjugate((Complex)(object)value),
        _ => value,
    };

    /// <summary>Whether a value is written and read as another one is: all NaN are the same, zeros of different signs are not.</summary>
    public static bool IsSame<T>(T left, T right) where T : unmanaged, IEquatable<T> =>
        typeof(T) == typeof(double) ? AreSame((double)(object)left, (double)(object)right) :
        typeof(T) == typeof(float) ? AreSame((float)(object)left, (float)(object)right) :
        typeof(T) == typeof(Complex) ? AreSame(((Complex)(object)left).Real, ((Complex)(object)right).Real)
            && AreSame(((Complex)(object)left).Imaginary, ((Complex)(object)right).Imaginary) :
        left.Equals(right);

    private static bool AreSame(double left, double right) => left.Equals(right) && (left != 0 || double.IsNegative(left) == double.IsNegative(right));

    private static bool TryReal<T>(ref MatrixMarketCursor cursor, bool isComplex, out T value) where T : unmanaged
    {
        bool isRead;
        if (typeof(T) == typeof(float))
        {
            isRead = cursor.TrySingle(out float single);
            value = (T)(object)single;
            return isRead;
        }
        double imaginary = 0;
        isRead = cursor.TryReal(out double real) && (!isComplex || cursor.TryReal(out imaginary));
        value = typeof(T) == typeof(Complex) ? (T)(object)new Complex(real, imaginary) : (T)(object)real;
        return isRead;
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

    // 0 - x: the zeros that skew-symmetric files may store stay what they are.
    private static T Negate<T>(T value) where T : unmanaged =>
        typeof(T) == typeof(double) ? (T)(object)(0 - (double)(object)value) :
        typeof(T) == typeof(float) ? (T)(object)(0 - (float)(object)value) :
        typeof(T) == typeof(Complex) ? (T)(object)new Complex(0 - ((Complex)(object)value).Real, 0 - ((Complex)(object)value).Imaginary) :
        typeof(T) == typeof(long) ? (T)(object)checked(-(long)(object)value) :
        typeof(T) == typeof(int) ? (T)(object)checked(-(int)(object)value) :
        value;

    private static Complex Conjugate(Complex value) => new(value.Real, 0 - value.Imaginary);
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
