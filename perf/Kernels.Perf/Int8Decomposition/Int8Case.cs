namespace Kernels.Perf;

/// <summary>
/// A product: activations [RowCount, InputCount], of which some columns hold outliers in every row, times weights [OutputCount, InputCount] in eight bits.
/// </summary>
internal sealed record Int8Case(int InputCount, int OutputCount, int RowCount, double OutlierFraction)
{
    public string Name => FormattableString.Invariant($"k {InputCount} x n {OutputCount}, m {RowCount}, {100 * OutlierFraction:0.#} % outliers");

    public long WeightCount => (long)InputCount * OutputCount;

    public int OutlierCount => (int)Math.Round(OutlierFraction * InputCount);

    /// <summary>A multiplication and an addition for each row and weight.</summary>
    public double Operations => 2.0 * RowCount * WeightCount;

    /// <summary>The largest error that passes, of the largest result: the rounding of activations to eight bits.</summary>
    public const double Tolerance = 2e-2;
}
