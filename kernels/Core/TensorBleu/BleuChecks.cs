using Kernels.Core.Checks;

namespace Kernels.Core.TensorBleu;

/// <summary>The argument checks of the BLEU family. Every message names the parameter and the value.</summary>
internal static class BleuChecks
{
    // An array's length, less the places that counting reads or writes beyond the last token.
    private static int MostPlaces => Array.MaxLength - (1 << 10);

    public static void Offsets(ReadOnlySpan<int> offsets, int end, string name)
    {
        int last = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            if (offsets[i] < last)
                throw new ArgumentException($"offset {i} is {offsets[i]}, below {last} before it", name);
            last = offsets[i];
        }
        if (last > end)
            throw new ArgumentException($"the last offset is {last}, beyond the end at {end}", name);
    }

    /// <summary>What is counted together must fit an array or a block of scratch that 32 bits number.</summary>
    public static int Places(long count, string name) => count <= MostPlaces
        ? (int)count
        : throw new ArgumentException($"{count} tokens, sequences and their marks are more than can be counted together ({MostPlaces})", name);

    public static void Groups(int candidateCount, int groupCount)
    {
        if (candidateCount != groupCount)
            throw new ArgumentException($"references of {groupCount} candidates for {candidateCount} candidates", "references");
    }

    public static void PreparedGroups(int candidateCount, int groupCount)
    {
        if (groupCount == 0 ? candidateCount != 0 : candidateCount % groupCount != 0)
            throw new ArgumentException($"{candidateCount} candidates do not share {groupCount} groups of references evenly", "references");
    }

    public static void Options(in BleuOptions options)
    {
        if (options.MaxOrder is < 1 or > BleuOptions.LargestOrder)
            throw new ArgumentOutOfRangeException(nameof(BleuOptions.MaxOrder), options.MaxOrder, $"orders run from 1 to {BleuOptions.LargestOrder}");
        Check.Defined(options.Smoothing, nameof(BleuOptions.Smoothing));
        if (options.Smoothing == BleuSmoothing.NltkMethod6 && options.MaxOrder < BleuNltkFormula.FirstInterpolatedOrder)
            throw new ArgumentOutOfRangeException(nameof(BleuOptions.MaxOrder), options.MaxOrder,
                $"method 6 needs order {BleuNltkFormula.FirstInterpolatedOrder}");
        if (options.SmoothingValue is { } value && !(double.IsFinite(value) && value >= 0))
            throw new ArgumentOutOfRangeException(nameof(BleuOptions.SmoothingValue), value, "a finite number, not negative, is needed");
        Check.Kernel(options.Kernel);
        Weights(options.Weights, options.MaxOrder);
        if (options.TensorBleuCompatible && (options.IsNltk || options.EffectiveOrder))
            throw new ArgumentException("the compatible mode has neither NLTK's smoothings nor effective order", nameof(BleuOptions.TensorBleuCompatible));
    }

    private static void Weights(ReadOnlySpan<double> weights, int maxOrder)
    {
        if (weights.Length % maxOrder != 0)
            throw new ArgumentException($"{weights.Length} weights do not make sets of {maxOrder}", nameof(BleuOptions.Weights));
        for (int begin = 0; begin < weights.Length; begin += maxOrder)
        {
            double sum = 0;
            foreach (double weight in weights.Slice(begin, maxOrder))
            {
                if (!(double.IsFinite(weight) && weight >= 0))
                    throw new ArgumentOutOfRangeException(nameof(BleuOptions.Weights), weight, "a weight is not a finite number, or is negative");
                sum += weight;
            }
            if (sum == 0)
                throw new ArgumentException($"all weights of set {begin / maxOrder} are 0", nameof(BleuOptions.Weights));
        }
    }
}
