namespace Kernels.Perf;

/// <summary>
/// The softmax in double precision, as simply as it can be written: p = exp(z - max z) / sum exp(z - max z), the sum compensated. The probabilities are
/// kept, for a dozen contenders are compared with them.
/// </summary>
internal sealed class SoftmaxOracle<T> : IDisposable where T : unmanaged
{
    private readonly SoftmaxCase _case;
    private readonly NativeBuffer<double> _probabilities;

    public SoftmaxOracle(SoftmaxCase softmaxCase, NativeBuffer<T> logits)
    {
        _case = softmaxCase;
        _probabilities = new NativeBuffer<double>(softmaxCase.ElementCount);
        Parallel.For(0, softmaxCase.RowCount, row => Solve(Row(logits, row)[..softmaxCase.VisibleLength(row)], Row(_probabilities, row)));
    }

    /// <summary>
    /// The largest |y - p| / max(p, the type's smallest normal number): relative, but absolute where the type itself has no relative precision left.
    /// Where the oracle gives NaN, a NaN is right and anything else makes the result NaN.
    /// </summary>
    public double LargestError(NativeBuffer<T> results)
    {
        var errors = new double[_case.RowCount];
        Parallel.For(0, _case.RowCount, row => errors[row] = LargestError(Row(_probabilities, row), Row(results, row)));
        return errors.Aggregate(0.0, Math.Max);
    }

    public void Dispose() => _probabilities.Dispose();

    private static double LargestError(ReadOnlySpan<double> probabilities, ReadOnlySpan<T> results)
    {
        double largest = 0;
        for (int i = 0; i < results.Length; i++)
        {
            double expected = probabilities[i], result = Element<T>.ToDouble(results[i]);
            double error = double.IsNaN(expected) && double.IsNaN(result) ? 0 : Math.Abs(result - expected) / Math.Max(expected, Element<T>.SmallestNormal);
            largest = Math.Max(largest, error);
        }
        return largest;
    }

    // Positions beyond the visible logits keep the probability 0. Neumaier's sum: what an addition loses is added up beside it.
    private void Solve(ReadOnlySpan<T> logits, Span<double> probabilities)
    {
        double maximum = double.NegativeInfinity, sum = 0, lost = 0;
        foreach (T logit in logits)
            maximum = Math.Max(maximum, _case.Scale * Element<T>.ToDouble(logit));
        for (int i = 0; i < logits.Length; i++)
        {
            double term = Math.Exp(_case.Scale * Element<T>.ToDouble(logits[i]) - maximum), next = sum + term;
            lost += sum >= term ? sum - next + term : term - next + sum;
            (sum, probabilities[i]) = (next, term);
        }
        for (int i = 0; i < logits.Length; i++)
            probabilities[i] /= sum + lost;
    }

    private Span<TElement> Row<TElement>(NativeBuffer<TElement> buffer, int row) where TElement : unmanaged =>
        buffer.Span.Slice(row * _case.RowLength, _case.RowLength);
}
