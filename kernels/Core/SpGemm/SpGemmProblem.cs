using Kernels.Core.Checks;

namespace Kernels.Core.SpGemm;

/// <summary>A product with every argument checked: backends trust it.</summary>
internal readonly ref struct SpGemmProblem<T> where T : unmanaged, IEquatable<T>
{
    /// <summary>The parameter names of the public methods, for the messages.</summary>
    public const string LeftName = "left", RightName = "right", OptionsName = "options";

    public readonly CsrMatrix<T> Left, Right;
    public readonly SpGemmOptions<T> Options;

    public SpGemmProblem(CsrMatrix<T> left, CsrMatrix<T> right, in SpGemmOptions<T> options)
    {
        CsrChecks.ValueType<T>();
        ArgumentNullException.ThrowIfNull(left, LeftName);
        ArgumentNullException.ThrowIfNull(right, RightName);
        CsrChecks.Product(left.ColumnCount, right.RowCount, RightName);
        if (options.Mask is { } mask)
            CsrChecks.SameShape(left.RowCount, right.ColumnCount, mask.RowCount, mask.ColumnCount, nameof(options.Mask));
        if (options.Addend is { } addend)
            CsrChecks.SameShape(left.RowCount, right.ColumnCount, addend.RowCount, addend.ColumnCount, nameof(options.Addend));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxResultBytes, nameof(options.MaxResultBytes));
        Check.Kernel(options.Kernel);
        (Left, Right, Options) = (left, right, options);
    }
}
