namespace Kernels.Tests;

/// <summary>
/// The bounds of docs/families/sparse_attention.md, as they are counted there, over random problems of every kind: logits near 0 and of hundreds, sums that
/// cancel and sums of one sign, values of one sign, of 80 powers of two and with alternating signs, masks and slopes that outweigh the products.
/// </summary>
public sealed class SparseAttentionBoundTests
{
    private const int ProblemsPerVariant = 150, PanelKeys = 64;
    private const double Unit = 1.0 / (1 << 24);

    // Terms below 2^-126 of the row's scale are zeros.
    private const double Smallest = 2 * 1.17549435082228751e-38;

    public static TheoryData<string> Variants => SparseAttentionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ResultsAreWithinTheCountedBounds(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        for (int seed = 0; seed < ProblemsPerVariant; seed++)
            Check(new Problem(seed), kernel, $"{variant}, problem {seed}");
    }

    private static void Check(Problem problem, KernelOptions kernel, string what)
    {
        float[] output = new float[problem.Queries.Length], sums = new float[problem.QueryCount * problem.Shape.QueryHeads],
            columns = new float[problem.Shape.QueryHeads * problem.KeyCount];
        SparseAttention.Attend<float>(problem.Queries, problem.Keys, problem.Values, output, problem.Shape, new()
        {
            Causal = problem.Causal,
            SoftCap = problem.SoftCap,
            AlibiSlopes = problem.Slopes,
            AdditiveMask = problem.Mask,
            LogSumExp = sums,
            ColumnSums = columns,
            Kernel = kernel,
        });
        SparseAttentionOracle oracle = problem.Oracle().Run();
        int heads = problem.Shape.QueryHeads, d = problem.Shape.HeadDimension;
        double[] columnBounds = new double[columns.Length];
        for (int head = 0; head < heads; head++)
        {
            for (int query = 0; query < problem.QueryCount; query++)
            {
                int row = query * heads + head;
                double[] probabilities = oracle.Probabilities(head, query, out double logSumExp, null), errors = problem.TermErrors(head, query);
                if (double.IsNegativeInfinity(logSumExp))
                {
                    Assert.Equal(float.NegativeInfinity, sums[row]);
                    continue;
                }
                double mean = probabilities.Zip(errors, (probability, error) => probability == 0 ? 0 : probability * error).Sum();
                // The sum of terms is taken in float over a panel at most, then in double; its logarithm is rounded once.
                double sumBound = mean / (1 - mean) + (PanelKeys + 2) * Unit + Unit * Math.Abs(logSumExp);
                AssertWithin(logSumExp, sums[row], sumBound, $"{what}: log-sum-exp of row {row}");
                for (int key = 0; key < problem.KeyCount; key++)
                {
                    if (probabilities[key] > 0)
                        columnBounds[head * problem.KeyCount + key] += probabilities[key] * (1.01 * (errors[key] + sumBound) + 4 * Unit);
                }
                for (int i = 0; i < d; i++)
                    AssertWithin(oracle.Output[row * d + i], output[row * d + i],
                        problem.OutputBound(head, i, probabilities, errors, mean, oracle.Output[row * d + i]), $"{what}: output {i} of row {row}");
            }
        }
        for (int i = 0; i < columns.Length; i++)
            AssertWithin(oracle.ColumnSums[i], columns[i], columnBounds[i] + problem.QueryCount * Smallest, $"{what}: column sum {i}");
    }

    private static void AssertWithin(double expected, float actual, double bound, string what) =>
        Assert.True(Math.Abs(actual - expected) <= bound, $"{what} is {actual:R} instead of {expected:R}; the bound is {bound:R}");

    private sealed class Problem
    {
        private readonly Random _random;
        private readonly float _scale;

        public Problem(int seed)
        {
            _random = new Random(seed);
            int keyHeads = _random.Next(1, 3), group = _random.Next(1, 4), d = OneOf(1, 5, 16, 33, 64, 128);
            Shape = new AttentionShape(keyHeads * group, keyHeads, d);
            QueryCount = _random.Next(2) == 0 ? _random.Next(1, 4) : _random.Next(1, 40);
            KeyCount = _random.Next(2) == 0 ? _random.Next(1, 20) : _random.Next(1, 140);
            _scale = (float)(1 / Math.Sqrt(d));
            double querySpread = OneOf(0.1, 1, 3, 10), keySpread = OneOf(0.1, 1, 3);
            bool oneSign = _random.Next(3) == 0;
            int kind = _random.Next(4);
            Queries = Draw(QueryCount * Shape.QueryHeads * d, _ => querySpread * Signed(oneSign));
            Keys = Draw(KeyCount * keyHeads * d, _ => keySpread * Signed(oneSign));
            Values = Draw(KeyCount * keyHeads * d, i => kind switch
            {
                0 => Signed(oneSign: false),
                1 => Signed(oneSign: true),
                2 => Signed(oneSign: false) * Math.Pow(2, _random.Next(-40, 40)),
                _ => (i % 2 == 0 ? 1 : -1) * (1000 + Signed(oneSign: false)),
            });
            Causal = _random.Next(2) == 0;
            SoftCap = OneOf(0, 0, 0, 8);
            Slopes = _random.Next(3) == 0 ? Draw(Shape.QueryHeads, _ => _random.NextDouble()) : [];
            Mask = _random.Next(3) == 0 ? Draw(QueryCount * KeyCount, _ => OneOf(0, -1e4, -1e9, double.NegativeInfinity, _random.NextDouble())) : [];
        }

        public AttentionShape Shape { get; }

        public int QueryCount { get; }

        public int KeyCount { get; }

        public bool Causal { get; }

        public double SoftCap { get; }

        public float[] Queries { get; }

        public float[] Keys { get; }

        public float[] Values { get; }

        public float[] Slopes { get; }

        public float[] Mask { get; }

        public SparseAttentionOracle Oracle() => new(Shape, Queries, Element.ToDoubles<float>(Keys), Element.ToDoubles<float>(Values))
        {
            Causal = Causal,
            SoftCap = SoftCap,
            Slopes = Slopes.Length == 0 ? null : Slopes,
            Bias = Mask.Length == 0 ? null : (_, query, key) => Addend(query, key) < -(1 << 21) ? double.NegativeInfinity : Addend(query, key),
        };

        /// <summary>The relative error of each key's term: exp of its logit's error, and that of the exponential, 1.25 units.</summary>
        public double[] TermErrors(int head, int query) =>
            [.. Enumerable.Range(0, KeyCount).Select(key => Math.Exp(LogitError(head, query, key)) * (1 + 1.25 * Unit) - 1)];

        public double OutputBound(int head, int element, double[] probabilities, double[] errors, double mean, double output)
        {
            // Chains of a panel and over the panels, products that may round on their own; the sum of terms, its conversion and the division.
            double roundings = PanelKeys + 1 + (KeyCount + PanelKeys - 1) / PanelKeys + PanelKeys + 2, bound = 0;
            for (int key = 0; key < KeyCount; key++)
            {
                double value = Values[(key * Shape.KeyValueHeads + head / Shape.GroupSize) * Shape.HeadDimension + element];
                if (probabilities[key] > 0)
                    bound += probabilities[key] * (errors[key] * Math.Abs(value - output) / (1 - mean) + roundings * Unit * Math.Abs(value));
                bound += Smallest * Math.Abs(value);
            }
            return bound;
        }

        private double LogitError(int head, int query, int key)
        {
            int d = Shape.HeadDimension;
            double products = 0, slope = Slopes.Length == 0 ? 0 : Slopes[head] * (double)Math.Abs(query + KeyCount - QueryCount - key),
                addend = Math.Abs(Addend(query, key));
            if (addend > 1 << 21)
                return 0;
            for (int i = 0; i < d; i++)
                products += Math.Abs((double)_scale * Queries[(query * Shape.QueryHeads + head) * d + i]
                    * Keys[(key * Shape.KeyValueHeads + head / Shape.GroupSize) * d + i]);
            double units = (d + 3) * products;
            // The cap as a float, the division, the tangent (4) and the product; what is added rounds its own product and the sum.
            units += SoftCap > 0 ? 7 * Math.Min(products, SoftCap) : 0;
            units += Slopes.Length > 0 ? products + 2 * slope : 0;
            units += Mask.Length > 0 ? products + slope + addend : 0;
            return units * Unit;
        }

        private float Addend(int query, int key) => Mask.Length == 0 ? 0 : Mask[query * KeyCount + key];

        private T OneOf<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

        private double Signed(bool oneSign)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
            return oneSign ? Math.Abs(normal) : normal;
        }

        private static float[] Draw(int count, Func<int, double> draw) => [.. Enumerable.Range(0, count).Select(i => (float)draw(i))];
    }
}
