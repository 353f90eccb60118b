using System.Numerics;

namespace Kernels.Tests;

/// <summary>
/// One sequence of attention as its definition reads, in double, and in float as the measure of what float can be asked for; slow, with every score in memory.
/// </summary>
internal sealed class SparseAttentionOracle
{
    private readonly AttentionShape _shape;
    private readonly double[] _queries, _keys, _values;

    /// <param name="shape">The heads.</param>
    /// <param name="queries">[M, query heads, d].</param>
    /// <param name="keys">[N, key-value heads, d].</param>
    /// <param name="values">[N, key-value heads, d].</param>
    public SparseAttentionOracle(AttentionShape shape, ReadOnlySpan<float> queries, ReadOnlySpan<double> keys, ReadOnlySpan<double> values)
    {
        _shape = shape;
        _queries = Element.ToDoubles(queries);
        _keys = keys.ToArray();
        _values = values.ToArray();
        QueryCount = queries.Length / (shape.QueryHeads * shape.HeadDimension);
        KeyCount = keys.Length / (shape.KeyValueHeads * shape.HeadDimension);
        Scale = 1 / Math.Sqrt(shape.HeadDimension);
    }

    public int QueryCount { get; }

    public int KeyCount { get; }

    public double Scale { get; init; }

    public double SoftCap { get; init; }

    public bool Causal { get; init; }

    public int Window { get; init; }

    public int SinkTokens { get; init; }

    public float[]? Slopes { get; init; }

    /// <summary>Added to the logit of (head, query, key); minus infinity leaves out.</summary>
    public Func<int, int, int, double>? Bias { get; init; }

    /// <summary>[M, query heads, d].</summary>
    public double[] Output { get; private set; } = [];

    /// <summary>[M, query heads].</summary>
    public double[] LogSumExp { get; private set; } = [];

    /// <summary>[query heads, N].</summary>
    public double[] ColumnSums { get; private set; } = [];

    public SparseAttentionOracle Run()
    {
        int heads = _shape.QueryHeads, d = _shape.HeadDimension;
        Output = new double[QueryCount * heads * d];
        LogSumExp = new double[QueryCount * heads];
        ColumnSums = new double[heads * KeyCount];
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < QueryCount; query++)
            {
                double[] probabilities = Probabilities(head, query, out LogSumExp[query * heads + head], null);
                for (int key = 0; key < KeyCount; key++)
                {
                    if (IsVisible(head, query, key))
                    {
                        ColumnSums[head * KeyCount + key] += probabilities[key];
                        for (int i = 0; i < d; i++)
                            Output[(query * heads + head) * d + i] += probabilities[key] * _values[Row(head, key) + i];
                    }
                }
            }
        }
        return this;
    }

    /// <summary>Gradients of sum(output * outputGradient) by the chain rule.</summary>
    public (double[] Queries, double[] Keys, double[] Values) Backward(ReadOnlySpan<float> outputGradient)
    {
        int heads = _shape.QueryHeads, d = _shape.HeadDimension;
        double[] queries = new double[_queries.Length], keys = new double[_keys.Length], values = new double[_values.Length], slopes = new double[KeyCount];
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < QueryCount; query++)
            {
                double[] probabilities = Probabilities(head, query, out _, slopes), slopeOf = [.. slopes], products = new double[KeyCount];
                int row = (query * heads + head) * d;
                double mean = 0;
                for (int key = 0; key < KeyCount; key++)
                {
                    for (int i = 0; i < d; i++)
                    {
                        products[key] += outputGradient[row + i] * _values[Row(head, key) + i];
                        values[Row(head, key) + i] += probabilities[key] * outputGradient[row + i];
                    }
                    mean += probabilities[key] * products[key];
                }
                for (int key = 0; key < KeyCount; key++)
                {
                    double gradient = probabilities[key] * (products[key] - mean) * slopeOf[key] * Scale;
                    for (int i = 0; i < d; i++)
                    {
                        queries[row + i] += gradient * _keys[Row(head, key) + i];
                        keys[Row(head, key) + i] += gradient * _queries[row + i];
                    }
                }
            }
        }
        return (queries, keys, values);
    }

    /// <summary>The output of naive attention in float: products, maximum, exponentials, sum, and weighted values one after another.</summary>
    public double[] NaiveOutput()
    {
        int heads = _shape.QueryHeads, d = _shape.HeadDimension;
        var output = new double[QueryCount * heads * d];
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < QueryCount; query++)
            {
                float[] probabilities = Probabilities<float>(head, query, out _, null);
                for (int i = 0; i < d; i++)
                {
                    float sum = 0;
                    for (int key = 0; key < KeyCount; key++)
                        sum += probabilities[key] == 0 ? 0 : probabilities[key] * (float)_values[Row(head, key) + i];
                    output[(query * heads + head) * d + i] = sum;
                }
            }
        }
        return output;
    }

    public double[] Probabilities(int head, int query, out double logSumExp, double[]? capSlopes) =>
        Probabilities<double>(head, query, out logSumExp, capSlopes);

    private T[] Probabilities<T>(int head, int query, out T logSumExp, T[]? capSlopes) where T : IFloatingPointIeee754<T>
    {
        var logits = new T[KeyCount];
        T largest = T.NegativeInfinity, sum = T.Zero;
        for (int key = 0; key < KeyCount; key++)
        {
            logits[key] = IsVisible(head, query, key) ? Logit(head, query, key, out T slope) : Left(out slope);
            if (capSlopes is not null)
                capSlopes[key] = slope;
            largest = T.Max(largest, logits[key]);
        }
        if (T.IsNegativeInfinity(largest))
        {
            logSumExp = largest;
            return new T[KeyCount];
        }
        for (int key = 0; key < KeyCount; key++)
            sum += logits[key] = T.Exp(logits[key] - largest);
        logSumExp = largest + T.Log(sum);
        for (int key = 0; key < KeyCount; key++)
            logits[key] /= sum;
        return logits;
    }

    private static T Left<T>(out T slope) where T : IFloatingPointIeee754<T>
    {
        slope = T.Zero;
        return T.NegativeInfinity;
    }

    private T Logit<T>(int head, int query, int key, out T slope) where T : IFloatingPointIeee754<T>
    {
        T product = T.Zero, cap = T.CreateTruncating(SoftCap);
        for (int i = 0; i < _shape.HeadDimension; i++)
            product += T.CreateTruncating(_queries[(query * _shape.QueryHeads + head) * _shape.HeadDimension + i])
                * T.CreateTruncating(_keys[Row(head, key) + i]);
        T logit = T.CreateTruncating(Scale) * product, tangent = SoftCap > 0 ? T.Tanh(logit / cap) : T.Zero;
        slope = T.One - tangent * tangent;
        logit = SoftCap > 0 ? cap * tangent : logit;
        if (Slopes is not null)
            logit -= T.CreateTruncating(Slopes[head]) * T.CreateTruncating(Math.Abs(query + KeyCount - QueryCount - key));
        return logit + T.CreateTruncating(Bias?.Invoke(head, query, key) ?? 0);
    }

    private bool IsVisible(int head, int query, int key)
    {
        int position = query + KeyCount - QueryCount;
        bool causal = !Causal || key <= position, window = Window == 0 || Math.Abs(position - key) < Window || key < SinkTokens;
        return causal && window && !(Bias is not null && double.IsNegativeInfinity(Bias(head, query, key)));
    }

    private int Row(int head, int key) => (key * _shape.KeyValueHeads + head / _shape.GroupSize) * _shape.HeadDimension;
}
