namespace Kernels.Perf;

/// <summary>The output in double for the first, the last and some heads and queries between; all rows of a long prefill would take minutes.</summary>
internal sealed class AttentionOracle
{
    private const int LargestRowCount = 8;

    private readonly AttentionData _data;
    private readonly (int Query, int Head)[] _rows;
    private readonly double[][] _expected;
    private readonly double _largest;

    /// <param name="data">The data.</param>
    /// <param name="mask">The blocks that take part, or null.</param>
    /// <param name="positions">The tokens attended to, or null for all.</param>
    public AttentionOracle(AttentionData data, BlockMask? mask, int[]? positions)
    {
        _data = data;
        int queries = data.Case.QueryCount, heads = data.Case.Shape.QueryHeads;
        _rows = [.. Enumerable.Range(0, LargestRowCount).Select(i => (i * (queries - 1) / (LargestRowCount - 1), i * (heads - 1) / (LargestRowCount - 1)))];
        _expected = new double[_rows.Length][];
        Parallel.For(0, _rows.Length, i => _expected[i] = Row(_rows[i].Query, _rows[i].Head, mask, positions));
        _largest = _expected.Max(row => row.Max(Math.Abs));
    }

    /// <summary>The largest error of these rows, of the largest result.</summary>
    public double LargestError()
    {
        AttentionShape shape = _data.Case.Shape;
        double largest = 0;
        for (int i = 0; i < _rows.Length; i++)
        {
            ReadOnlySpan<float> actual = _data.Output.Span.Slice((_rows[i].Query * shape.QueryHeads + _rows[i].Head) * shape.HeadDimension,
                shape.HeadDimension);
            for (int j = 0; j < actual.Length; j++)
            {
                double error = Math.Abs(actual[j] - _expected[i][j]);
                largest = double.IsNaN(error) ? double.NaN : Math.Max(largest, error);
            }
        }
        return largest / _largest;
    }

    private double[] Row(int query, int head, BlockMask? mask, int[]? positions)
    {
        AttentionShape shape = _data.Case.Shape;
        int d = shape.HeadDimension, keys = query + _data.Case.KeyCount - _data.Case.QueryCount + 1;
        int[] tokens = positions ?? [.. Enumerable.Range(0, keys).Where(key => mask is null || mask.Allows(0, query, key))];
        ReadOnlySpan<float> q = _data.Queries.Span.Slice((query * shape.QueryHeads + head) * d, d);
        var logits = new double[tokens.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            for (int j = 0; j < d; j++)
                logits[i] += (double)q[j] * Stored(_data.Keys, tokens[i], head, j);
            logits[i] /= Math.Sqrt(d);
        }
        double largest = logits.Max(), sum = 0;
        var output = new double[d];
        for (int i = 0; i < tokens.Length; i++)
        {
            double term = Math.Exp(logits[i] - largest);
            sum += term;
            for (int j = 0; j < d; j++)
                output[j] += term * Stored(_data.Values, tokens[i], head, j);
        }
        return [.. output.Select(x => x / sum)];
    }

    // As a 16-bit cache stores it.
    private double Stored(NativeBuffer<float> source, int token, int head, int dimension)
    {
        AttentionShape shape = _data.Case.Shape;
        float value = source.Span[(token * shape.KeyValueHeads + head / shape.GroupSize) * shape.HeadDimension + dimension];
        return _data.Case.Type == KeyValueType.Float16 ? (double)(Half)value : value;
    }
}
