namespace Kernels;

/// <summary>
/// The two operations of a sparse product, C[i, j] = Add over k of Multiply(A[i, k], B[k, j]), as a struct type argument: the JIT compiles each product for its
/// semiring. Products are added in the order in which row i of A holds its entries, whatever the accumulator and the number of threads.
/// </summary>
/// <typeparam name="T">The type of the values.</typeparam>
public interface ISemiring<T> where T : unmanaged
{
    /// <summary>
    /// What leaves every value as it is, to the bit: Add(Zero, x) = x. For the sum of floating-point numbers that is -0.0, since 0.0 + -0.0 is 0.0.
    /// Where explicit zeros are dropped, it is entries equal to this that go.
    /// </summary>
    static abstract T Zero { get; }

    /// <summary>The addition.</summary>
    /// <param name="sum">What has been added so far, <see cref="Zero"/> at first.</param>
    /// <param name="product">What is added.</param>
    static abstract T Add(T sum, T product);

    /// <summary>The multiplication; it need not commute.</summary>
    /// <param name="left">A value of A.</param>
    /// <param name="right">A value of B.</param>
    static abstract T Multiply(T left, T right);
}
