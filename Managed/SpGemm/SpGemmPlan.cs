using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.SpGemm;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// A product whose pattern was found once (symbolic phase) and whose values are computed as often as needed (numeric phase), without allocation beyond
/// the values. Immutable; made by <see cref="SpGemm.Plan{T}"/>.
/// </summary>
/// <typeparam name="T">The type of the values.</typeparam>
public sealed class SpGemmPlan<T> where T : unmanaged, IEquatable<T>
{
    private readonly SpGemmOptions<T> _options;
    private readonly ISpGemmBackend _backend;
    private readonly CsrMatrix<T> _left, _right;
    private readonly CsrMatrix<NoValue> _pattern;

    internal SpGemmPlan(in SpGemmProblem<T> problem, ISpGemmBackend backend, CsrMatrix<NoValue> pattern, long productCount)
    {
        (_left, _right, _options) = (problem.Left, problem.Right, problem.Options);
        (_backend, _pattern, ProductCount) = (backend, pattern, productCount);
        (_left.OwnsArrays, _right.OwnsArrays, _pattern.OwnsArrays) = (false, false, false);
    }

    /// <summary>Entries of the result.</summary>
    public long EntryCount => _pattern.EntryCount;

    /// <summary>Multiplications of one product; twice as many floating-point operations.</summary>
    public long ProductCount { get; }

    /// <summary>The product of matrices with the patterns planned for.</summary>
    /// <param name="left">Its pattern must be the planned one, entry for entry.</param>
    /// <param name="right">Its pattern must be the planned one, entry for entry.</param>
    /// <typeparam name="TSemiring">The semiring.</typeparam>
    /// <exception cref="ArgumentException">A pattern is another one.</exception>
    public CsrMatrix<T> Multiply<TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right) where TSemiring : struct, ISemiring<T>
    {
        CheckOperands(left, right);
        var values = GC.AllocateUninitializedArray<T>((int)EntryCount);
        MultiplyChecked<TSemiring>(left, right, values);
        return new(_pattern.RowCount, _pattern.ColumnCount, _pattern.RowPointerArray, _pattern.ColumnArray, values, _pattern.IsSorted, hasDuplicates: false);
    }

    /// <summary>Only the values of the product, in the order of the result's entries. Nothing is allocated if the plan was made with a workspace.</summary>
    /// <param name="left">Its pattern must be the planned one, entry for entry.</param>
    /// <param name="right">Its pattern must be the planned one, entry for entry.</param>
    /// <param name="values">As many as <see cref="EntryCount"/>, or more.</param>
    /// <typeparam name="TSemiring">The semiring.</typeparam>
    /// <exception cref="ArgumentException">A pattern is another one, or there are fewer values.</exception>
    public void MultiplyNumeric<TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, Span<T> values) where TSemiring : struct, ISemiring<T>
    {
        CheckOperands(left, right);
        values = Check.Written(values, EntryCount, nameof(values));
        MultiplyChecked<TSemiring>(left, right, values);
    }

    private void MultiplyChecked<TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, Span<T> values) where TSemiring : struct, ISemiring<T>
    {
        using var lease = new WorkspaceLease(_options.Workspace);
        _backend.MultiplyNumeric<T, TSemiring>(new SpGemmProblem<T>(left, right, _options), _pattern, values, lease.Workspace);
    }

    private void CheckOperands(CsrMatrix<T> left, CsrMatrix<T> right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        CheckPattern(_left, left, nameof(left));
        CheckPattern(_right, right, nameof(right));
    }

    private static void CheckPattern(CsrMatrix<T> planned, CsrMatrix<T> given, string name)
    {
        CsrChecks.SameShape(planned.RowCount, planned.ColumnCount, given.RowCount, given.ColumnCount, name);
        if (!planned.RowPointers.SequenceEqual(given.RowPointers) || !planned.Columns.SequenceEqual(given.Columns))
            throw new ArgumentException("the pattern is not the one that was planned for", name);
    }
}

/// <summary>The usual product of plans.</summary>
public static class SpGemmPlanExtensions
{
    /// <summary>The product over plus and times of matrices with the patterns planned for.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="left">Its pattern must be the planned one, entry for entry.</param>
    /// <param name="right">Its pattern must be the planned one, entry for entry.</param>
    public static CsrMatrix<T> Multiply<T>(this SpGemmPlan<T> plan, CsrMatrix<T> left, CsrMatrix<T> right) where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Multiply<PlusTimes<T>>(left, right);
    }
}
