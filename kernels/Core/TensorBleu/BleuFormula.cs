namespace Kernels.Core.TensorBleu;

/// <summary>From statistics to scores: the part of BLEU that knows smoothing and weights. Holds pointers that the caller has pinned.</summary>
internal readonly unsafe struct BleuFormula
{
    public const double PercentScale = 100;

    private readonly double* _weights;

    /// <param name="options">Checked options.</param>
    /// <param name="weights">The options' weights, or null if they have none.</param>
    /// <param name="setCount">The number of weight sets to score.</param>
    public BleuFormula(in BleuOptions options, double* weights, int setCount)
    {
        _weights = options.Weights.IsEmpty ? null : weights;
        Scale = options.Percent ? PercentScale : 1;
        SetCount = setCount;
        MaxOrder = options.MaxOrder;
        Smoothing = options.Smoothing;
        Value = options.SmoothingValue ?? UsualValue(options.Smoothing);
        EffectiveOrder = options.EffectiveOrder;
        Compatible = options.TensorBleuCompatible;
        IsNltk = options.IsNltk;
    }

    /// <summary>What a perfect score is.</summary>
    public double Scale { get; }

    public int SetCount { get; }

    public int MaxOrder { get; }

    public BleuSmoothing Smoothing { get; }

    public double Value { get; }

    public bool EffectiveOrder { get; }

    private bool Compatible { get; }

    private bool IsNltk { get; }

    /// <summary>The weights of one set, or an empty span for equal ones.</summary>
    public ReadOnlySpan<double> Weights(int set) => _weights == null ? [] : new ReadOnlySpan<double>(_weights + (long)set * MaxOrder, MaxOrder);

    /// <summary>One score for each weight set.</summary>
    public void Score(in BleuStatistics statistics, double* scores)
    {
        Span<double> precisions = stackalloc double[BleuOptions.LargestOrder];
        bool isZero = statistics.OrderCount == 0;
        int orders = MaxOrder;
        if (!isZero)
        {
            if (Compatible)
                BleuCompatibleFormula.Precisions(statistics, this, precisions);
            else if (IsNltk)
                isZero = !BleuNltkFormula.Precisions(statistics, this, precisions);
            else
                isZero = !BleuSacreFormula.Precisions(statistics, this, precisions, out orders);
        }
        double penalty = isZero ? 0 : BrevityPenalty(statistics.ReferenceLength, statistics.CandidateLength);
        for (int set = 0; set < SetCount; set++)
            scores[set] = isZero ? 0 : Scale * penalty * Mean(statistics, set, precisions[..orders]);
    }

    /// <summary>1 for candidates longer than their references, exp(1 - r / c) for shorter ones, 0 for empty ones.</summary>
    public static double BrevityPenalty(long referenceLength, long candidateLength) =>
        candidateLength > referenceLength ? 1 : candidateLength == 0 ? 0 : Math.Exp(1 - (double)referenceLength / candidateLength);

    private double Mean(in BleuStatistics statistics, int set, ReadOnlySpan<double> precisions) =>
        Compatible ? BleuCompatibleFormula.Mean(precisions, Weights(set))
        : IsNltk ? BleuNltkFormula.Mean(precisions, Weights(set), EffectiveOrder ? statistics.CandidateLength : long.MaxValue)
        : BleuSacreFormula.Mean(precisions, Weights(set));

    private static double UsualValue(BleuSmoothing smoothing) => smoothing switch
    {
        BleuSmoothing.Floor or BleuSmoothing.NltkMethod1 => 0.1,
        BleuSmoothing.AddK => 1,
        BleuSmoothing.NltkMethod4 or BleuSmoothing.NltkMethod6 or BleuSmoothing.NltkMethod7 => 5,
        _ => 0,
    };
}
