namespace Kernels.Perf;

/// <summary>Matrix Market files of the SuiteSparse collection beside this checkout, if there are any.</summary>
internal static class SharedMatrices
{
    // Complex values: no rival here takes them.
    private const string Left = "young1c";

    public static IEnumerable<(string Name, Func<CsrMatrix<double>> Make)> All { get; } = [.. Find()];

    private static IEnumerable<(string, Func<CsrMatrix<double>>)> Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "data", "sparse", "suitesparse");
            if (Directory.Exists(candidate))
            {
                return from path in Directory.GetFiles(candidate, "*.mtx").Order(StringComparer.Ordinal)
                       let name = Path.GetFileNameWithoutExtension(path)
                       where name != Left
                       select ($"suitesparse {name}", (Func<CsrMatrix<double>>)(() => MatrixMarket.Read<double>(path)));
            }
        }
        return [];
    }
}
