using Kernels.Core.Checks;

namespace Kernels.Core.Softmax;

/// <summary>The k largest probabilities of each row, with every argument checked.</summary>
internal readonly ref struct SoftmaxTopKProblem<T> where T : unmanaged
{
    public const string ValuesName = "values", IndicesName = "indices", CountName = "count";

    /// <summary>The log-sum-exp part of the problem: logits, rows and options. Its output is not used.</summary>
    public readonly SoftmaxProblem<T> Rows;
    public readonly Span<T> Values;
    public readonly Span<int> Indices;
    public readonly int Count;

    public SoftmaxTopKProblem(ReadOnlySpan<T> logits, Span<T> values, Span<int> indices, int rowLength, int count, in SoftmaxOptions<T> options)
    {
        SoftmaxShape shape = SoftmaxChecks.Rows(logits.Length, rowLength, SoftmaxProblem<T>.RowLengthName, SoftmaxProblem<T>.LogitsName);
        if (count < 0 || count > rowLength)
            throw new ArgumentOutOfRangeException(CountName, count, $"a row has {rowLength} elements");
        long needed = shape.RowCount * count;
        Check.AtLeast(values.Length, needed, ValuesName);
        Check.AtLeast(indices.Length, needed, IndicesName);
        Values = values[..(int)needed];
        Indices = indices[..(int)needed];
        Count = count;
        Check.Disjoint(logits, Values, SoftmaxProblem<T>.LogitsName, ValuesName);
        Check.Disjoint(logits, Indices, SoftmaxProblem<T>.LogitsName, IndicesName);
        Check.Disjoint(Values, Indices, ValuesName, IndicesName);
        Check.Disjoint(options.AdditiveMask, Values, nameof(options.AdditiveMask), ValuesName);
        Check.Disjoint(options.BooleanMask, Values, nameof(options.BooleanMask), ValuesName);
        Check.Disjoint(options.RowLengths, Values, nameof(options.RowLengths), ValuesName);
        Check.Disjoint(options.AdditiveMask, Indices, nameof(options.AdditiveMask), IndicesName);
        Check.Disjoint(options.BooleanMask, Indices, nameof(options.BooleanMask), IndicesName);
        Check.Disjoint(options.RowLengths, Indices, nameof(options.RowLengths), IndicesName);
        Rows = SoftmaxProblem<T>.WithoutOutput(shape, logits, options);
    }
}
