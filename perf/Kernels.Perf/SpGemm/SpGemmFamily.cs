using System.Numerics;

namespace Kernels.Perf;

/// <summary>Sparse products in the verbs: which matrices, which rivals.</summary>
internal sealed class SpGemmFamily : IFamilyBench
{
    public const string Word = "sp_gemm";

    private static readonly (string, Func<CsrMatrix<double>>)[] s_small =
        [("rmat 12 x 8", () => MatrixGenerator.RMat(12, 8)), ("erdos-renyi 2^14 x 8", () => MatrixGenerator.ErdosRenyi(1 << 14, 8)),
        ("poisson 200^2", () => MatrixGenerator.Poisson(200))];

    private static readonly (string, Func<CsrMatrix<double>>)[] s_large =
    [
        ("rmat 14 x 8", () => MatrixGenerator.RMat(14, 8)), ("rmat 14 x 16", () => MatrixGenerator.RMat(14, 16)),
        ("erdos-renyi 2^16 x 8", () => MatrixGenerator.ErdosRenyi(1 << 16, 8)), ("poisson 1000^2", () => MatrixGenerator.Poisson(1000)),
    ];

    // A result takes 0.8 GB, and each contender holds one; edge factor 16 would take 2.4 times as much. In f64 only, so that all of it ends within ten minutes.
    private static readonly (string, Func<CsrMatrix<double>>)[] s_huge = [("rmat 16 x 8", () => MatrixGenerator.RMat(16, 8))];

    // Math.NET is shown on matrices that take it less than a second.
    private const long MathNetProducts = 5_000_000;

    private readonly SciPyProduct _sciPy = new();

    public string Family => Word;

    public IReadOnlyList<string> Names => [Word, "spgemm"];

    public IReadOnlyList<RivalStatus> Rivals => [CxSparse.Status, _sciPy.Status, GraphBlas.Status, EigenProduct.Status, MathNetProduct.Status];

    // Ninety workloads in ten minutes.
    public Effort FullEffort { get; } = new(MinRounds: 7, MaxRounds: 15, SecondsPerWorkload: 0.7, WarmUpSeconds: 0.3);

    public IEnumerable<WorkloadPlan> Showcase() => Plans(s_small, [false], ThreadCounts.OneAndAll, withRivals: false);

    /// <summary>Nothing: dense arrays are no sparse matrices.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) =>
        (quick ? Plans(s_small, [false], threadCounts, withRivals: true)
        : Plans([.. SharedMatrices.All, .. s_large], [false, true], threadCounts, withRivals: true)
        .Concat(Plans(s_huge, [false], threadCounts, withRivals: true)))
            .Append(new WorkloadPlan(MatrixMarketWorkload.Name, () =>
                new MatrixMarketWorkload(threadCounts, _sciPy.Status.AbsentReason is null ? _sciPy : null)));

    private IEnumerable<WorkloadPlan> Plans((string Name, Func<CsrMatrix<double>> Make)[] matrices, bool[] singles, IReadOnlyList<int> threadCounts,
        bool withRivals) =>
        from matrix in matrices
        from isSingle in singles
        from isSorted in new[] { false, true }
        let own = new SpGemmCase(matrix.Name, matrix.Make, isSingle, isSorted)
        select new WorkloadPlan(own.Name, () => Open(own, threadCounts, withRivals));

    private IWorkload Open(SpGemmCase own, IReadOnlyList<int> threadCounts, bool withRivals)
    {
        CsrMatrix<double> left = own.Make(), right = left.RowCount == left.ColumnCount ? left : left.Transpose();
        return own.IsSingle
            ? new SpGemmWorkload<float>(own, ToSingle(left), ToSingle(right), threadCounts, workload => withRivals ? RivalsOf(workload, threadCounts) : [])
            : new SpGemmWorkload<double>(own, left, right, threadCounts, workload => withRivals ? RivalsOf(workload, threadCounts) : []);
    }

    private static CsrMatrix<float> ToSingle(CsrMatrix<double> matrix) =>
        matrix.WithValues<float>(Array.ConvertAll(matrix.Values.ToArray(), value => (float)value));

    // Unsorted products meet CXSparse and SciPy, sorted ones Eigen and Math.NET; GraphBLAS does both. In f32 there is SciPy alone, unsorted.
    private IEnumerable<IContender> RivalsOf<T>(SpGemmWorkload<T> workload, IReadOnlyList<int> threadCounts) where T : unmanaged, INumber<T>
    {
        bool isSorted = workload.Case.IsSorted, isDouble = !workload.Case.IsSingle, hasOne = threadCounts.Contains(1);
        if (isDouble && hasOne && !isSorted && CxSparse.Status.AbsentReason is null)
            yield return CxSparse.Open(workload);
        if (hasOne && !isSorted && _sciPy.Status.AbsentReason is null)
            yield return _sciPy.Open(workload);
        if (isDouble && hasOne && isSorted && EigenProduct.Status.AbsentReason is null)
            yield return EigenProduct.Open(workload);
        if (isDouble && hasOne && isSorted && workload.Products <= MathNetProducts)
            yield return MathNetProduct.Open(workload);
        if (isDouble && GraphBlas.Status.AbsentReason is null)
        {
            foreach (int threads in threadCounts)
                yield return GraphBlas.Open(workload, threads);
        }
    }
}
