namespace Kernels.Perf;

/// <summary>
/// The product of the float activations with the dequantised weights, in double, as simply as it can be written, for the first, the last and some rows between: a row does not depend
/// on the others, and all rows of a large batch would take minutes. So the error of ours is what rounding activations to eight bits costs, and more would show.
/// </summary>
internal sealed class Int8Oracle
{
    private const int LargestRowCount = 4;

    private readonly Int8Buffers _buffers;
    private readonly int[] _rows;
    private readonly double[] _expected;
    private readonly double _largest;

    public Int8Oracle(Int8Buffers buffers)
    {
        Int8Case shape = buffers.Case;
        _buffers = buffers;
        int count = Math.Min(LargestRowCount, shape.RowCount);
        _rows = [.. Enumerable.Range(0, count).Select(i => count == 1 ? 0 : i * (shape.RowCount - 1) / (count - 1))];
        _expected = new double[count * shape.OutputCount];
        Parallel.For(0, _expected.Length, i => _expected[i] = Dot(_rows[i / shape.OutputCount], i % shape.OutputCount));
        _largest = _expected.Max(Math.Abs);
    }

    /// <summary>The largest error of these rows, of the largest result.</summary>
    public double LargestError()
    {
        int outputs = _buffers.Case.OutputCount;
        double largest = 0;
        for (int i = 0; i < _expected.Length; i++)
        {
            double error = Math.Abs(_buffers.Output.Span[_rows[i / outputs] * outputs + i % outputs] - _expected[i]);
            largest = double.IsNaN(error) ? double.NaN : Math.Max(largest, error);
        }
        return largest / _largest;
    }

    private double Dot(int row, int output)
    {
        int inputs = _buffers.Case.InputCount;
        ReadOnlySpan<float> activations = _buffers.Activations.Span.Slice(row * inputs, inputs), weights = _buffers.Weights.Dequantized[0].Span.Slice(output * inputs, inputs);
        double sum = 0;
        for (int input = 0; input < inputs; input++)
            sum += (double)activations[input] * weights[input];
        return sum;
    }
}
