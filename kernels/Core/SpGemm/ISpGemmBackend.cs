namespace Kernels.Core.SpGemm;

/// <summary>One way to multiply sparse matrices. Arguments were checked at the door.</summary>
internal interface ISpGemmBackend
{
    /// <summary>The product.</summary>
    /// <exception cref="InsufficientMemoryException">It would be larger than allowed.</exception>
    /// <exception cref="OverflowException">It would be larger than an array, or its products than 2^63.</exception>
    CsrMatrix<T> Multiply<T, TSemiring>(in SpGemmProblem<T> problem, SpGemmWorkspace workspace) where T : unmanaged, IEquatable<T>
        where TSemiring : struct, ISemiring<T>;

    /// <summary>The pattern of the product, sorted unless the options say otherwise.</summary>
    CsrMatrix<NoValue> MultiplyPatterns<T>(in SpGemmProblem<T> problem, SpGemmWorkspace workspace) where T : unmanaged, IEquatable<T>;

    /// <summary>The values of a product whose pattern is known.</summary>
    /// <param name="problem">Operands with the patterns that were planned for.</param>
    /// <param name="pattern">What <see cref="MultiplyPatterns"/> gave for them.</param>
    /// <param name="values">As many as the pattern has entries.</param>
    /// <param name="workspace">Scratch.</param>
    void MultiplyNumeric<T, TSemiring>(in SpGemmProblem<T> problem, CsrMatrix<NoValue> pattern, Span<T> values, SpGemmWorkspace workspace)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>;

    /// <summary>What can be said of the product ahead.</summary>
    SpGemmCount Count<T>(in SpGemmProblem<T> problem, SpGemmWorkspace workspace) where T : unmanaged, IEquatable<T>;
}
