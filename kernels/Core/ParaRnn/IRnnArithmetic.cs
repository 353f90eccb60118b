namespace Kernels;

/// <summary>
/// What a cell may do with a register of numbers: one element, a SIMD register, or a number with its derivative. A cell written against this interface is
/// compiled for each of them. No operation moves numbers between lanes, so every lane of every register gets the same bits from the same numbers.
/// </summary>
/// <typeparam name="V">The register.</typeparam>
public interface IRnnArithmetic<V> where V : unmanaged
{
    /// <summary>A register that holds this number in all lanes.</summary>
    static abstract V Constant(double value);

    /// <summary>a + b.</summary>
    static abstract V Add(V a, V b);

    /// <summary>a - b.</summary>
    static abstract V Subtract(V a, V b);

    /// <summary>a b.</summary>
    static abstract V Multiply(V a, V b);

    /// <summary>a / b.</summary>
    static abstract V Divide(V a, V b);

    /// <summary>a b + c, rounded once where the processor can.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>The logistic function 1 / (1 + exp(-a)).</summary>
    static abstract V Sigmoid(V a);

    /// <summary>The hyperbolic tangent.</summary>
    static abstract V Tanh(V a);
}
