namespace Kernels.Perf;

/// <summary>Estimators that the measurements share.</summary>
internal static class Statistics
{
    /// <summary>The middle one of the sorted numbers, or the mean of the two middle ones.</summary>
    public static double Median(ReadOnlySpan<double> numbers)
    {
        double[] sorted = numbers.ToArray();
        return MedianInPlace(sorted);
    }

    /// <summary>
    /// The percentile interval of the median by the bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): medians of
    /// <paramref name="resamples"/> samples drawn with replacement, all of the same size, cut off by the same share on either side. The seed makes it the same
    /// for the same numbers.
    /// </summary>
    public static (double Low, double High) BootstrapOfMedian(ReadOnlySpan<double> numbers, double confidence, int resamples, int seed)
    {
        var random = new Random(seed);
        double[] drawn = new double[numbers.Length], medians = new double[resamples];
        for (int i = 0; i < resamples; i++)
        {
            for (int k = 0; k < drawn.Length; k++)
                drawn[k] = numbers[random.Next(numbers.Length)];
            medians[i] = MedianInPlace(drawn);
        }
        Array.Sort(medians);
        int cut = (int)((1 - confidence) / 2 * resamples);
        return (medians[cut], medians[resamples - 1 - cut]);
    }

    private static double MedianInPlace(double[] numbers)
    {
        Array.Sort(numbers);
        int middle = numbers.Length / 2;
        return numbers.Length % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
    }
}
