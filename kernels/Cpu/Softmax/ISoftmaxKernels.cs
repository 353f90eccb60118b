using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>
/// The micro-kernels of softmax for compute type T (float or double): loops over contiguous elements that know registers but no rows, options,
/// threads or element types. Terms are relative to a <see cref="SoftmaxReference{T}"/>: <c>term(x) = exp(x - origin) 2^(bias - exponent)</c>.
/// Counts are at least 1; every destination may be one of the sources.
/// </summary>
internal interface ISoftmaxKernels<T> where T : unmanaged
{
    /// <summary>The number of elements of a register.</summary>
    static abstract int Width { get; }

    // Rows: SoftmaxKernels.Rows.cs

    /// <summary>The largest element; if there is a NaN, it or any other element.</summary>
    static abstract T Max(ref T x, nuint count);

    /// <summary>The sum of term(x), and the largest x. Right only if that is at most the reference's ceiling.</summary>
    static abstract double SumExp(ref T x, nuint count, in SoftmaxReference<T> reference, out T max);

    /// <summary>term(x) of one logit, the same digits as in a sum.</summary>
    static abstract double Term(T x, in SoftmaxReference<T> reference);

    /// <summary>numerators = term(x); returns their sum.</summary>
    static abstract double StoreExp(ref T x, ref T numerators, nuint count, in SoftmaxReference<T> reference);

    /// <summary>y = factor term(x).</summary>
    static abstract void ScaleExp(ref T x, ref T y, nuint count, in SoftmaxReference<T> reference, in SplitReciprocal<T> factor, bool nonTemporal);

    /// <summary>y = factor x, x finite.</summary>
    static abstract void Scale(ref T x, ref T y, nuint count, in SplitReciprocal<T> factor, bool nonTemporal);

    /// <summary>y = (x - largest) - excess, in double and rounded once.</summary>
    static abstract void Subtract(ref T x, ref T y, nuint count, double largest, double excess, bool nonTemporal);

    // Logits: SoftmaxKernels.Logits.cs

    /// <summary>z = scale z, in place.</summary>
    static abstract void Multiply(ref T z, nuint count, T scale);

    /// <summary>z = cap tanh(z / cap), in place.</summary>
    static abstract void Cap(ref T z, nuint count, T cap);

    /// <summary>z = z + mask, in place.</summary>
    static abstract void Add(ref T z, ref T mask, nuint count);

    // Columns, one softmax each, with their state in arrays, which have room for whole registers: SoftmaxKernels.Columns.cs

    /// <summary>max = the larger of max and x.</summary>
    static abstract void ColumnMax(ref T x, ref T max, nuint count);

    /// <summary>The references at these largest logits, of which minus infinity counts as 0; whole registers are written.</summary>
    static abstract void SetColumnReferences(ref T largest, nuint count, int bias, in ColumnReferences<T> references);

    /// <summary>Adds term(x) to the sums; what they lose by rounding is summed in <paramref name="lost"/>, for double.</summary>
    static abstract void ColumnSumExp(ref T x, ref double sums, ref double lost, nuint count, in ColumnReferences<T> references);

    /// <summary>y = term(x) high + term(x) low.</summary>
    static abstract void ColumnScaleExp(ref T x, ref T y, nuint count, in ColumnReferences<T> references, ref T high, ref T low);

    /// <summary>y = (x - largest) - excess, in double and rounded once.</summary>
    static abstract void ColumnSubtract(ref T x, ref T y, nuint count, ref double largest, ref double excess);

    // Gradients: SoftmaxKernels.Gradients.cs. A position took no part where p is 0 or l is minus infinity: nothing there counts, and its y is 0.

    /// <summary>The sum of g p.</summary>
    static abstract double Dot(ref T g, ref T p, nuint count);

    /// <summary>The sum of g, whose log-probabilities are l.</summary>
    static abstract double Sum(ref T g, ref T l, nuint count);

    /// <summary>y = scale (g - dot) p.</summary>
    static abstract void Gradient(ref T g, ref T p, ref T y, nuint count, T dot, T scale);

    /// <summary>y = scale (g - exp(l) sum), l at most about 0.</summary>
    static abstract void LogGradient(ref T g, ref T l, ref T y, nuint count, T sum, T scale);

    /// <summary>y = y scale (1 - tanh²(scale x / cap)): the slope of the capped logit. Where y is 0 it stays 0, whatever x.</summary>
    static abstract void MultiplyCapSlope(ref T x, ref T y, nuint count, T scale, T cap);
}
