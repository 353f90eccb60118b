using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kernels.Perf;

/// <summary>A product in memory, with its oracle and everything that can compute it.</summary>
internal sealed class SpGemmWorkload<T> : IWorkload where T : unmanaged, INumber<T>
{
    // Sums of some thousand products, against the same sums in double.
    private const double OwnTolerance = 1e-13, SingleTolerance = 1e-4, RivalTolerance = 1e-2;

    private readonly SpGemmWorkspace _workspace = new();
    private readonly SpGemmOracle<T> _oracle;
    private readonly long _bytes;
    private readonly double _compressionRatio;
    private CsrMatrix<T>? _result;

    public SpGemmWorkload(SpGemmCase own, CsrMatrix<T> left, CsrMatrix<T> right, IReadOnlyList<int> threadCounts,
        Func<SpGemmWorkload<T>, IEnumerable<IContender>> rivals)
    {
        (Case, Left, Right) = (own, left, right);
        _oracle = new SpGemmOracle<T>(left, right);
        Products = SpGemm.Count(left, right).Products;
        Contenders = [.. threadCounts.Select(Own), .. rivals(this)];
        long entries = Multiply(threads: 0).EntryCount;
        _compressionRatio = (double)Products / Math.Max(1, entries);
        _bytes = (left.EntryCount + right.EntryCount + entries) * (sizeof(int) + Unsafe.SizeOf<T>());
    }

    public SpGemmCase Case { get; }

    public CsrMatrix<T> Left { get; }

    public CsrMatrix<T> Right { get; }

    /// <summary>Multiplications.</summary>
    public long Products { get; }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => 2.0 * Products;

    // Beside the rate, products for each entry of the result: with few of them, writing is the work.
    public string Unit => string.Create(CultureInfo.InvariantCulture, $"GFLOP/s at {_compressionRatio:F1} : 1");

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Copy];

    public RecordedComparison? Recorded => null;

    /// <summary>Operands read once, and the result written once.</summary>
    public double RoofSeconds(RoofSamples roofs, int threads) => _bytes / roofs.PerSecond(RoofKind.Copy, threads);

    /// <summary>A rival that is a call within this process.</summary>
    public IContender Rival(string identity, int threads, Action call, Func<(long[] Pointers, int[] Columns, T[] Values)> result, Action release) =>
        new CallContender(identity, threads, 1, RivalTolerance, _ => call(), () => LargestError(result()), release);

    /// <summary>Checks a rival's result.</summary>
    public double LargestError((long[] Pointers, int[] Columns, T[] Values) result) =>
        _oracle.LargestError(result.Pointers, result.Columns, result.Values, mayDropZeros: true);

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
        _workspace.Dispose();
    }

    private CallContender Own(int threads)
    {
        KernelVariant variant = KernelInfo.Catalogue.First(d => d.Chosen.Family == SpGemmFamily.Word
            && d.Chosen.Types == (Case.IsSingle ? "f32" : "f64")).Chosen;
        return new(variant.Identity, threads, 1, Case.IsSingle ? SingleTolerance : OwnTolerance, _ => Multiply(threads), () =>
            _oracle.LargestError(_result!.RowPointers, _result.Columns, _result.Values, mayDropZeros: false));
    }

    // The memory of one result serves the next: whoever multiplies again and again keeps a workspace.
    private CsrMatrix<T> Multiply(int threads)
    {
        if (_result is { } old)
            _workspace.Recycle(old);
        return _result = SpGemm.Multiply(Left, Right,
            new() { Unsorted = !Case.IsSorted, Workspace = _workspace, Kernel = new() { MaxDegreeOfParallelism = threads } });
    }
}
