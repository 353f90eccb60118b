namespace Kernels.Tests;

/// <summary>The list behind <see cref="OptionRangeTests"/>: softmax, BLEU, and how anything is run.</summary>
internal static partial class OptionCases
{
    private static readonly double[] s_notFinite = [double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    // Two rows of four.
    private static readonly float[] s_logits = [1, -2, 3, 0.5f, 2, -1, 0, 4];

    public static IEnumerable<OptionCase> Rows() =>
    [
        OptionCase.Of<int>("KernelOptions.MaxDegreeOfParallelism", threads => $"{ThreadsOf(threads) > 1}", (1, 2), [0, 1, int.MaxValue], [-1, int.MinValue]),
        OptionCase.Of<string?>("KernelOptions.Variant", variant =>
            OptionCase.Outcome<ArgumentException>(() => Softmax(new() { Kernel = new() { Variant = variant } })), (null, "nonsense"), [null, Scalar], [])
            .Refuses("nonsense", "Variant", true, () => Softmax(new() { Kernel = new() { Variant = "nonsense" } }))
            .Refuses("softmax/f64/cpu/scalar", "Variant", true, () => Softmax(new() { Kernel = new() { Variant = "softmax/f64/cpu/scalar" } })),
        OptionCase.Of<bool>("KernelOptions.CancellationToken",
            isStopped => OptionCase.Outcome<OperationCanceledException>(() => Softmax(new() { Kernel = new() { CancellationToken = new(isStopped) } })),
            (false, true), [false], []),

        OptionCase.Of<double>("SoftmaxOptions.Scale", value => Softmax(new() { Scale = value }), (1, 2),
            [0, -1, float.MaxValue, -float.MaxValue, double.Epsilon], [.. s_notFinite, double.MaxValue, 2.0 * float.MaxValue]),
        OptionCase.Of<double>("SoftmaxOptions.SoftCap", value => Softmax(new() { SoftCap = value }), (0, 2), [0, float.Epsilon, float.MaxValue],
            [.. s_notFinite, -1, -double.Epsilon, double.Epsilon, double.MaxValue]),
        OptionCase.Of<float[]>("SoftmaxOptions.AdditiveMask", mask => Softmax(new() { AdditiveMask = mask }), ([], [0, 1, 2, float.NegativeInfinity]),
            [[], new float[4], new float[8]], [new float[3], new float[5], new float[9]]),
        OptionCase.Of<bool[]>("SoftmaxOptions.BooleanMask", mask => Softmax(new() { BooleanMask = mask }), ([], [true, false, true, true]),
            [[], new bool[4], new bool[8]], [new bool[3], new bool[5], new bool[9]]),
        OptionCase.Of<int[]>("SoftmaxOptions.RowLengths", lengths => Softmax(new() { RowLengths = lengths }), ([], [4, 2]), [[], [0, 0], [4, 4]],
            [[4], [4, 4, 4], [-1, 4], [4, 5]]),
        OptionCase.Of<bool>("SoftmaxOptions.Causal", value => Softmax(new() { Causal = value }), (false, true), [false, true], []),
        OptionCase.Of<int>("SoftmaxOptions.CausalQueryCount", value => Softmax(new() { Causal = true, CausalQueryCount = value }), (0, 1), [0, 1, 2],
            [-1, 3, int.MinValue])
            .Refuses("1 without Causal", () => Softmax(new() { CausalQueryCount = 1 })),
        OptionCase.Of<bool>("SoftmaxOptions.Safe", value => Softmax(new() { Safe = value, BooleanMask = new bool[4] }), (false, true), [false, true], []),
        OptionCase.Kernel("SoftmaxOptions", kernel => Softmax(new() { Kernel = kernel })),

        OptionCase.Of<double>("SoftmaxGradientOptions.Scale", value => Gradient(new() { Scale = value }), (1, 2), [0, -1, float.MaxValue, -float.MaxValue],
            [.. s_notFinite, double.MaxValue]),
        OptionCase.Of<double>("SoftmaxGradientOptions.SoftCap", value => Gradient(new() { SoftCap = value, Logits = value == 0 ? [] : s_logits }), (0, 2),
            [0, float.Epsilon, float.MaxValue], [.. s_notFinite, -1, double.Epsilon, double.MaxValue]),
        OptionCase.Of<float[]>("SoftmaxGradientOptions.Logits", logits => Gradient(new() { SoftCap = 2, Logits = logits }), (new float[8], s_logits),
            [s_logits], [[], new float[7], new float[9]])
            .Refuses("logits without a cap", () => Gradient(new() { Logits = s_logits })),
        OptionCase.Kernel("SoftmaxGradientOptions", kernel => Gradient(new() { Kernel = kernel })),

        OptionCase.Of<int>("BleuOptions.MaxOrder", value => Bleu(new() { MaxOrder = value }), (4, 2), [1, BleuOptions.LargestOrder],
            [0, -1, BleuOptions.LargestOrder + 1]),
        OptionCase.Of<double[]>("BleuOptions.Weights", weights => Bleu(new() { Weights = weights }), ([], [1, 0, 0, 0]), [[], [0, 0, 0, double.Epsilon]],
            [[1, 1, 1], new double[4], [1, 1, 1, -double.Epsilon], [1, 1, 1, double.NaN], [1, 1, 1, double.PositiveInfinity]]),
        OptionCase.Of<BleuSmoothing>("BleuOptions.Smoothing", value => Bleu(new() { Smoothing = value }), (BleuSmoothing.Exponential, BleuSmoothing.None),
            Enum.GetValues<BleuSmoothing>(), [(BleuSmoothing)(-1), BleuSmoothing.NltkMethod7 + 1]),
        OptionCase.Of<double?>("BleuOptions.SmoothingValue", value => Bleu(new() { Smoothing = BleuSmoothing.Floor, SmoothingValue = value }), (null, 0.5),
            [null, 0, double.MaxValue], [-double.Epsilon, double.NaN, double.PositiveInfinity]),
        OptionCase.Of<bool>("BleuOptions.EffectiveOrder", value => Bleu(new() { EffectiveOrder = value }, tokens: 3), (false, true), [false, true], []),
        OptionCase.Of<bool>("BleuOptions.TensorBleuCompatible", value => Bleu(new() { TensorBleuCompatible = value }), (false, true), [false, true], [])
            .Refuses("with effective order", () => Bleu(new() { TensorBleuCompatible = true, EffectiveOrder = true }))
            .Refuses("with a smoothing of NLTK", () => Bleu(new() { TensorBleuCompatible = true, Smoothing = BleuSmoothing.NltkMethod1 })),
        OptionCase.Of<bool>("BleuOptions.Percent", value => Bleu(new() { Percent = value }), (false, true), [false, true], []),
        OptionCase.Kernel("BleuOptions", kernel => Bleu(new() { Kernel = kernel })),
    ];

    private const string Scalar = "softmax/f32/cpu/scalar";

    private static string Softmax(SoftmaxOptions<float> options)
    {
        float[] output = new float[8];
        global::Kernels.Softmax.Compute<float>(s_logits, output, 4, options);
        return OptionCase.Text<float>(output);
    }

    private static string Gradient(SoftmaxGradientOptions<float> options)
    {
        float[] probabilities = new float[8], gradient = new float[8];
        global::Kernels.Softmax.Compute<float>(s_logits, probabilities, 4);
        global::Kernels.Softmax.Backward<float>([1, 0, 0, 0, 0, 0, 1, 0], probabilities, gradient, 4, options);
        return OptionCase.Text<float>(gradient);
    }

    // How many threads call a semiring's products. The first one waits for another, for long only where there should be one: a busy machine may start it late.
    private static int ThreadsOf(int threads)
    {
        CsrMatrix<double> full = CsrMatrix.FromDense<double>(Enumerable.Repeat(1.0, 96 * 96).ToArray(), 96, 96);
        ThreadCounting.Threads.Clear();
        ThreadCounting.Patience = threads == 2 ? TimeSpan.FromSeconds(30) : TimeSpan.FromMilliseconds(20);
        SpGemm.Multiply<double, ThreadCounting>(full, full, new() { Kernel = new() { MaxDegreeOfParallelism = threads } });
        return ThreadCounting.Threads.Count;
    }

    // The sum of products that notes which threads call it.
    private readonly struct ThreadCounting : ISemiring<double>
    {
        public static System.Collections.Concurrent.ConcurrentDictionary<int, bool> Threads { get; } = new();

        public static TimeSpan Patience { get; set; }

        public static double Zero => 0;

        public static double Add(double sum, double product) => sum + product;

        public static double Multiply(double left, double right)
        {
            if (Threads.TryAdd(Environment.CurrentManagedThreadId, true))
                SpinWait.SpinUntil(() => Threads.Count > 1, Patience);
            return left * right;
        }
    }

    // The candidate has no 4-gram of the reference.
    private static string Bleu(BleuOptions options, int tokens = 6)
    {
        int[] candidate = [5, 6, 7, 1, 8, 9], reference = [5, 6, 7, 8, 9, 2];
        double[] scores = new double[1];
        TensorBleu.Score(TokenBatch.Padded<int>(candidate.AsSpan(0, tokens), tokens, 0), TokenBatch.Padded<int>(reference, 6, 0), scores, options);
        return OptionCase.Text<double>(scores);
    }
}
