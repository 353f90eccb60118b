namespace Kernels.Perf;

/// <summary>A Matrix Market file to read: our reader beside SciPy's. The file is written for the occasion.</summary>
internal sealed class MatrixMarketWorkload : IWorkload
{
    public const string Name = "matrix market, erdos-renyi 2^16 x 8, f64, reading";

    // Numbers read back as the same bits.
    private const double Tolerance = 0;

    private readonly string _path = Path.GetTempFileName();
    private readonly CsrMatrix<double> _matrix = MatrixGenerator.ErdosRenyi(1 << 16, 8);
    private readonly long _bytes;
    private CsrMatrix<double>? _read;

    public MatrixMarketWorkload(IReadOnlyList<int> threadCounts, SciPyProduct? sciPy)
    {
        MatrixMarket.Write(_path, _matrix);
        _bytes = new FileInfo(_path).Length;
        Contenders = [.. threadCounts.Select(Own), .. sciPy is null || !threadCounts.Contains(1) ? Array.Empty<IContender>()
            : [new SciPyReader(sciPy, _path, _matrix.RowCount, Error)]];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => _bytes;

    public string Unit => "GB/s";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Read];

    public RecordedComparison? Recorded => null;

    public double RoofSeconds(RoofSamples roofs, int threads) => _bytes / roofs.PerSecond(RoofKind.Read, threads);

    public void Dispose() => File.Delete(_path);

    // The reader is no variant of a kernel; the identity is that of the type's default, so that rivals are held against it.
    private CallContender Own(int threads) => new(
        KernelInfo.Catalogue.First(d => d.Chosen.Family == SpGemmFamily.Word && d.Chosen.Types == "f64").Chosen.Identity, threads, 1, Tolerance,
        _ => _read = MatrixMarket.Read<double>(_path, new() { Kernel = new() { MaxDegreeOfParallelism = threads } }),
        () => Error(_read!.RowPointers, _read.Columns, _read.Values));

    private double Error(ReadOnlySpan<long> pointers, ReadOnlySpan<int> columns, ReadOnlySpan<double> values) =>
        pointers.SequenceEqual(_matrix.RowPointers) && columns.SequenceEqual(_matrix.Columns) && values.SequenceEqual(_matrix.Values) ? 0 : double.NaN;

    private delegate double Check(ReadOnlySpan<long> pointers, ReadOnlySpan<int> columns, ReadOnlySpan<double> values);

    private sealed class SciPyReader(SciPyProduct rival, string path, int rowCount, Check check) : IContender
    {
        public string Identity => rival.Status.Identity;

        public int Threads => 1;

        public double Tolerance => 0;

        public double LargestError()
        {
            (long[] pointers, int[] columns, double[] values) = rival.Read(path, rowCount);
            return check(pointers, columns, values);
        }

        public double Time(int calls) => rival.SecondsToRead(path, calls);

        public void Dispose()
        {
        }
    }
}
