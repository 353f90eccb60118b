namespace Kernels.Core.TensorBleu;

/// <summary>Precisions and their mean as sacreBLEU has them, in fractions of 1.</summary>
internal static class BleuSacreFormula
{
    /// <summary>The smoothed precisions, and how many of them count; false if nothing matched, which makes the score 0.</summary>
    public static bool Precisions(in BleuStatistics statistics, in BleuFormula formula, Span<double> precisions, out int orders)
    {
        orders = formula.MaxOrder;
        bool anyMatch = false;
        for (int n = 1; n <= formula.MaxOrder; n++)
            anyMatch |= statistics.Matches(n) != 0;
        if (!anyMatch)
            return false;
        precisions.Clear();
        double halvings = 1;
        for (int n = 1; n <= formula.MaxOrder; n++)
        {
            double added = formula.Smoothing == BleuSmoothing.AddK && n > 1 ? formula.Value : 0;
            double matches = statistics.Matches(n) + added, total = statistics.Totals(n) + added;
            if (total == 0)
                break;
            if (formula.EffectiveOrder)
                orders = n;
            if (matches != 0)
                precisions[n - 1] = matches / total;
            else if (formula.Smoothing == BleuSmoothing.Exponential)
                precisions[n - 1] = 1 / ((halvings *= 2) * total);
            else if (formula.Smoothing == BleuSmoothing.Floor)
                precisions[n - 1] = formula.Value / total;
        }
        return true;
    }

    /// <summary>exp(sum w log p); 0 if a precision that has weight is 0.</summary>
    /// <param name="precisions">Those of the orders that count.</param>
    /// <param name="weights">Of all orders, or empty for the plain mean.</param>
    public static double Mean(ReadOnlySpan<double> precisions, ReadOnlySpan<double> weights)
    {
        double sum = 0, counted = 0;
        for (int i = 0; i < precisions.Length; i++)
        {
            double weight = weights.IsEmpty ? 1 : weights[i];
            if (weight == 0)
                continue;
            if (precisions[i] == 0)
                return 0;
            sum += weight * Math.Log(precisions[i]);
            counted += weight;
        }
        if (counted == 0)
            return 0;
        double all = 1;
        if (!weights.IsEmpty)
        {
            all = 0;
            foreach (double weight in weights)
                all += weight;
            if (precisions.Length == weights.Length)
                all = counted;
        }
        return Math.Exp(sum * all / counted);
    }
}
