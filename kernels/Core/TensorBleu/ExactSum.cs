namespace Kernels.Core.TensorBleu;

/// <summary>
/// A sum rounded once: Shewchuk's growing expansion ("Adaptive Precision Floating-Point Arithmetic", 1997), as in Python's math.fsum. The logarithms of a
/// score can be large and cancel; the exponential would turn their rounding into a relative error.
/// </summary>
internal static class ExactSum
{
    /// <param name="terms">At most <see cref="BleuOptions.LargestOrder"/>.</param>
    public static double Of(ReadOnlySpan<double> terms)
    {
        Span<double> partials = stackalloc double[BleuOptions.LargestOrder + 1];
        int count = 0;
        foreach (double term in terms)
            count = Grow(partials, count, term);
        return Round(partials[..count]);
    }

    // Adds a term to non-overlapping partial sums of increasing magnitude.
    private static int Grow(Span<double> partials, int count, double term)
    {
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            double large = term, small = partials[i];
            if (Math.Abs(large) < Math.Abs(small))
                (large, small) = (small, large);
            double sum = large + small, error = small - (sum - large);
            if (error != 0)
                partials[kept++] = error;
            term = sum;
        }
        partials[kept++] = term;
        return kept;
    }

    private static double Round(ReadOnlySpan<double> partials)
    {
        double high = 0, low = 0;
        int i = partials.Length;
        while (i > 0 && low == 0)
        {
            double term = partials[--i], sum = high + term;
            low = term - (sum - high);
            high = sum;
        }
        // Half-way cases: the sign of what is left below decides, as for any exact number.
        if (i > 0 && low != 0 && Math.Sign(low) == Math.Sign(partials[i - 1]))
        {
            double doubled = 2 * low, rounded = high + doubled;
            if (doubled == rounded - high)
                high = rounded;
        }
        return high;
    }
}
