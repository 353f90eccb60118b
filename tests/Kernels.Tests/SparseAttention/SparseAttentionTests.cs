namespace Kernels.Tests;

/// <summary>Dense, causal, windowed and masked attention against the oracle.</summary>
public sealed class SparseAttentionTests
{
    public static TheoryData<string> Variants => SparseAttentionCases.Variants;

    // Query and key counts around tiles of 64, groups of heads, head dimensions around registers and slivers.
    private static readonly (int Queries, int Keys, AttentionShape Shape)[] s_sizes =
    [
        (1, 1, new(1, 1, 1)), (1, 63, new(4, 4, 8)), (1, 65, new(4, 1, 40)), (1, 130, new(6, 2, 64)), (2, 64, new(8, 2, 33)), (3, 200, new(2, 2, 17)),
            (5, 70, new(12, 4, 16)),
        (17, 17, new(3, 1, 24)), (63, 64, new(2, 1, 31)), (64, 63, new(1, 1, 65)), (65, 129, new(4, 2, 48)), (70, 3, new(2, 2, 5)), (0, 4, new(2, 1, 4)),
            (4, 0, new(2, 1, 4)), (130, 0, new(1, 1, 8)),
    ];

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void DenseAndCausalAreExact(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach ((int queries, int keys, AttentionShape shape) in s_sizes)
        {
            foreach (bool causal in new[] { false, true })
            {
                (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, queries, keys);
                float[] output = new float[q.Length], sums = new float[queries * shape.QueryHeads], columns = new float[shape.QueryHeads * keys];
                SparseAttention.Attend<float>(q, k, v, output, shape, new() { Causal = causal, LogSumExp = sums, ColumnSums = columns, Kernel = kernel });
                SparseAttentionOracle oracle =
                    new SparseAttentionOracle(shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v)) { Causal = causal }.Run();
                string what = $"{variant} {queries} x {keys}, {shape}, causal {causal}";
                SparseAttentionCases.AssertClose(oracle.Output, output, what);
                SparseAttentionCases.AssertAsGoodAsNaive(oracle, output, what);
                SparseAttentionCases.AssertClose(oracle.LogSumExp, sums, what + ", log-sum-exp");
                SparseAttentionCases.AssertClose(oracle.ColumnSums, columns, what + ", column sums");
                float[] plain = new float[q.Length];
                SparseAttention.Attend<float>(q, k, v, plain, shape, new() { Causal = causal, Kernel = kernel });
                SparseAttentionCases.AssertClose(oracle.Output, plain, what + ", output alone");
            }
        }
    }

    public static TheoryData<string, string> Options
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string variant in SparseAttentionCases.Names)
            {
                foreach (string option in new[] { "window", "causal window with sinks", "cap", "slopes", "additive", "additive per head", "boolean",
                    "boolean per head", "scale", "no scale", "all" })
                    data.Add(variant, option);
            }
            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Options))]
    public void EveryOptionIsExactForwardAndBackward(string variant, string option)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach ((int queries, int keys, AttentionShape shape) in new[] { (1, 100, new AttentionShape(4, 2, 12)), (3, 70, new(4, 2, 12)),
            (70, 150, new(4, 2, 12)) })
        {
            Case made = Make(option, queries, keys, shape);
            (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, queries, keys, 5);
            float[] output = new float[q.Length], sums = new float[queries * shape.QueryHeads], columns = new float[shape.QueryHeads * keys],
                gradient = SparseAttentionCases.Normal(q.Length, 9);
            AttentionOptions options = made.Options(kernel, sums, columns);
            SparseAttention.Attend<float>(q, k, v, output, shape, options);
            SparseAttentionOracle oracle = made.Oracle(shape, q, k, v).Run();
            string what = $"{variant} {option} {queries} x {keys}";
            SparseAttentionCases.AssertClose(oracle.Output, output, what);
            SparseAttentionCases.AssertAsGoodAsNaive(oracle, output, what);
            SparseAttentionCases.AssertClose(oracle.LogSumExp, sums, what + ", log-sum-exp");
            SparseAttentionCases.AssertClose(oracle.ColumnSums, columns, what + ", column sums");
            float[] dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
            SparseAttention.Backward<float>(gradient, q, k, v, output, sums, dq, dk, dv, shape, made.Options(kernel, [], []));
            (double[] queriesExpected, double[] keysExpected, double[] valuesExpected) = oracle.Backward(gradient);
            SparseAttentionCases.AssertClose(queriesExpected, dq, what + ", query gradient", 1e-5);
            SparseAttentionCases.AssertClose(keysExpected, dk, what + ", key gradient", 1e-5);
            SparseAttentionCases.AssertClose(valuesExpected, dv, what + ", value gradient", 1e-5);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void BoundsHoldAtTheLargestHeadDimension(string variant)
    {
        // Products of 512 terms, sums over two chunks of keys and a tile; streamed, and in tiles.
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        var shape = new AttentionShape(2, 1, AttentionShape.LargestHeadDimension);
        foreach (int queries in new[] { 1, 12 })
        {
            (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, queries, 2100, 6);
            float[] output = new float[q.Length], sums = new float[queries * 2], columns = new float[2 * 2100],
                gradient = SparseAttentionCases.Normal(q.Length, 9);
            SparseAttention.Attend<float>(q, k, v, output, shape, new() { Causal = true, LogSumExp = sums, ColumnSums = columns, Kernel = kernel });
            SparseAttentionOracle oracle =
                new SparseAttentionOracle(shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v)) { Causal = true }.Run();
            SparseAttentionCases.AssertClose(oracle.Output, output, $"{queries} queries");
            SparseAttentionCases.AssertAsGoodAsNaive(oracle, output, $"{queries} queries");
            SparseAttentionCases.AssertClose(oracle.LogSumExp, sums, $"{queries} queries, log-sum-exp");
            SparseAttentionCases.AssertClose(oracle.ColumnSums, columns, $"{queries} queries, column sums");
            float[] dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
            SparseAttention.Backward<float>(gradient, q, k, v, output, sums, dq, dk, dv, shape, new() { Causal = true, Kernel = kernel });
            (double[] byQueries, double[] byKeys, double[] byValues) = oracle.Backward(gradient);
            SparseAttentionCases.AssertClose(byQueries, dq, $"{queries} queries, query gradient", 1e-5);
            SparseAttentionCases.AssertClose(byKeys, dk, $"{queries} queries, key gradient", 1e-5);
            SparseAttentionCases.AssertClose(byValues, dv, $"{queries} queries, value gradient", 1e-5);
        }
    }

    [Fact]
    public void OracleGradientIsThatOfFiniteDifferences()
    {
        var shape = new AttentionShape(2, 1, 3);
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, 4, 6);
        float[] gradient = SparseAttentionCases.Normal(q.Length, 3);
        (double[] dq, double[] dk, double[] dv) = Make("all", 4, 6, shape).Oracle(shape, q, k, v).Backward(gradient);
        const double step = 1e-6;
        for (int array = 0; array < 3; array++)
        {
            double[] expected = array == 0 ? dq : array == 1 ? dk : dv;
            for (int i = 0; i < expected.Length; i++)
            {
                double[] values = [Value(array, i, step), Value(array, i, -step)];
                Assert.Equal((values[0] - values[1]) / (2 * step), expected[i], array == 0 ? 1e-3 : 1e-7);
            }
        }

        // Queries are floats: their own step is what rounding leaves of it.
        double Value(int array, int index, double by)
        {
            float[] queries = [.. q];
            double[] keys = Element.ToDoubles<float>(k), values = Element.ToDoubles<float>(v);
            double correction = 1;
            if (array == 0)
            {
                float moved = (float)(queries[index] + by * 1000);
                correction = (moved - queries[index]) / by;
                queries[index] = moved;
            }
            else if (array == 1)
            {
                keys[index] += by;
            }
            else
            {
                values[index] += by;
            }
            Case made = Make("all", 4, 6, shape);
            double sum = Sum(made.Oracle(shape, queries, keys, values).Run().Output, gradient),
                start = Sum(made.Oracle(shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v)).Run().Output, gradient);
            return start + (sum - start) / correction;
        }

        static double Sum(double[] output, float[] weights) => output.Select((x, i) => x * weights[i]).Sum();
    }

    private static Case Make(string option, int queries, int keys, AttentionShape shape)
    {
        bool all = option == "all";
        bool perHead = option.EndsWith("per head", StringComparison.Ordinal) || all;
        int masks = perHead ? shape.QueryHeads : 1;
        var random = new Random(11);
        float[] additive = option.StartsWith("additive", StringComparison.Ordinal) || all
            ? [.. Enumerable.Range(0, masks * queries * keys).Select(_ => random.Next(4) == 0 ? float.NegativeInfinity : (float)random.NextDouble())]
            : [];
        bool[] boolean = option.StartsWith("boolean", StringComparison.Ordinal) || all
            ? [.. Enumerable.Range(0, masks * queries * keys).Select(_ => random.Next(4) != 0)] : [];
        // One query sees nothing.
        if (boolean.Length > 0)
            Array.Clear(boolean, 0, keys);
        return new Case(
            Causal: option == "causal window with sinks" || all, Window: option is "window" or "causal window with sinks" || all ? 30 : 0,
            Sinks: option == "causal window with sinks" || all ? 5 : 0,
            Cap: option == "cap" || all ? 1.5 : 0, Scale: option == "no scale" ? 0 : option == "scale" || all ? 0.7 : null, Slopes: option == "slopes" || all
                ? [.. Enumerable.Range(1, shape.QueryHeads).Select(i => 0.05f * i)] : [],
            additive, boolean, queries * keys, keys, perHead);
    }

    private sealed record Case(bool Causal, int Window, int Sinks, double Cap, double? Scale, float[] Slopes, float[] Additive, bool[] Boolean, int Pairs,
        int Keys, bool PerHead)
    {
        public AttentionOptions Options(KernelOptions kernel, float[] sums, float[] columns) => new()
        {
            Causal = Causal,
            Window = Window,
            SinkTokens = Sinks,
            SoftCap = Cap,
            Scale = Scale,
            AlibiSlopes = Slopes,
            AdditiveMask = Additive,
            BooleanMask = Boolean,
            LogSumExp = sums,
            ColumnSums = columns,
            Kernel = kernel,
        };

        public SparseAttentionOracle Oracle(AttentionShape shape, float[] q, float[] k, float[] v) =>
            Oracle(shape, q, Element.ToDoubles<float>(k), Element.ToDoubles<float>(v));

        public SparseAttentionOracle Oracle(AttentionShape shape, float[] q, double[] k, double[] v) => new(shape, q, k, v)
        {
            Scale = Scale ?? 1 / Math.Sqrt(shape.HeadDimension),
            SoftCap = Cap,
            Causal = Causal,
            Window = Window,
            SinkTokens = Sinks,
            Slopes = Slopes.Length == 0 ? null : Slopes,
            Bias = Additive.Length + Boolean.Length == 0 ? null : Bias,
        };

        private double Bias(int head, int query, int key)
        {
            int pair = (PerHead ? head * Pairs : 0) + query * Keys + key;
            return Boolean.Length > 0 && !Boolean[pair] ? double.NegativeInfinity : Additive.Length > 0 ? Additive[pair] : 0;
        }
    }
}
