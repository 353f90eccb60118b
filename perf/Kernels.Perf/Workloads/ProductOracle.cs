namespace Kernels.Perf;

/// <summary>
/// activations[rows, inputs] weights[outputs, inputs]^T in double, as simply as it can be written, for the first, the last and some rows between: a row does
/// not depend on the others, and all rows of a large batch would take minutes. The weights are those that packed ones stand for, so that an error is what the
/// arithmetic costs, not what rounding the weights did.
/// </summary>
internal sealed class ProductOracle
{
    private const int LargestRowCount = 4;

    private readonly NativeBuffer<float> _activations, _weights, _output;
    private readonly int _inputCount, _outputCount;
    private readonly int[] _rows;
    private readonly double[] _expected;
    private readonly double _largest;

    public ProductOracle(NativeBuffer<float> activations, NativeBuffer<float> weights, NativeBuffer<float> output, int inputCount, int outputCount)
    {
        (_activations, _weights, _output, _inputCount, _outputCount) = (activations, weights, output, inputCount, outputCount);
        int rowCount = output.Span.Length / outputCount, count = Math.Min(LargestRowCount, rowCount);
        _rows = [.. Enumerable.Range(0, count).Select(i => count == 1 ? 0 : i * (rowCount - 1) / (count - 1))];
        _expected = new double[count * outputCount];
        Parallel.For(0, _expected.Length, i => _expected[i] = Dot(_rows[i / outputCount], i % outputCount));
        _largest = _expected.Max(Math.Abs);
    }

    /// <summary>The largest error of these rows, of the largest result.</summary>
    public double LargestError()
    {
        double largest = 0;
        for (int i = 0; i < _expected.Length; i++)
        {
            double error = Math.Abs(_output.Span[_rows[i / _outputCount] * _outputCount + i % _outputCount] - _expected[i]);
            if (double.IsNaN(error))
                return double.NaN;
            largest = Math.Max(largest, error);
        }
        return largest / _largest;
    }

    private double Dot(int row, int output)
    {
        ReadOnlySpan<float> activations = _activations.Span.Slice(row * _inputCount, _inputCount),
            weights = _weights.Span.Slice(output * _inputCount, _inputCount);
        double sum = 0;
        for (int input = 0; input < _inputCount; input++)
            sum += (double)activations[input] * weights[input];
        return sum;
    }
}
