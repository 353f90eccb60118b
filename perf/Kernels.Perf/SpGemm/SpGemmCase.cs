namespace Kernels.Perf;

/// <summary>A matrix to multiply by itself, or by its transpose if it is not square.</summary>
/// <param name="Matrix">Its name.</param>
/// <param name="Make">Makes or reads it.</param>
/// <param name="IsSingle">Whether in f32 rather than in f64.</param>
/// <param name="IsSorted">Whether rows of the result are to be sorted.</param>
internal sealed record SpGemmCase(string Matrix, Func<CsrMatrix<double>> Make, bool IsSingle, bool IsSorted)
{
    public string Name => $"{Matrix}, {(IsSingle ? "f32" : "f64")}, {(IsSorted ? "sorted" : "unsorted")}";
}
