using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>SciPy's csr_matmat in its own interpreter: unsorted, one thread.</summary>
internal sealed class SciPyProduct
{
    private const string Identity = "rival/scipy";

    // It drops zeros that come out of sums, so that its pattern may be smaller; single precision is summed in single precision.
    private const double ProductTolerance = 1e-2;

    private readonly Lazy<PythonProcess?> _python = new(() => PythonProcess.Start(EmbeddedText.Read("scipy_product.py")));
    private object? _loaded;

    public RivalStatus Status => _python.Value is { } python ? new(Identity, python.Version, null)
        : new(Identity, "", "absent: no Python interpreter with SciPy (Debian: python3-scipy)");

    public IContender Open<T>(SpGemmWorkload<T> workload) where T : unmanaged, INumber<T> => new Session<T>(this, workload);

    /// <summary>Seconds of <c>scipy.io.mmread</c>.</summary>
    public double SecondsToRead(string path, int calls) => double.Parse(_python.Value!.Ask($"read {calls} {path}"), CultureInfo.InvariantCulture);

    /// <summary>What <c>scipy.io.mmread</c> makes of a file.</summary>
    public (long[] Pointers, int[] Columns, double[] Values) Read(string path, int rowCount) => Result<double>(target => $"dump {path} {target}", rowCount);

    // Asks for a matrix in a file.
    private (long[] Pointers, int[] Columns, T[] Values) Result<T>(Func<string, string> question, int rowCount) where T : unmanaged
    {
        string path = Path.GetTempFileName();
        try
        {
            int count = int.Parse(_python.Value!.Ask(question(path)), CultureInfo.InvariantCulture);
            var result = (Pointers: new long[rowCount + 1], Columns: new int[count], Values: new T[count]);
            using FileStream file = File.OpenRead(path);
            file.ReadExactly(MemoryMarshal.AsBytes(result.Pointers.AsSpan()));
            file.ReadExactly(MemoryMarshal.AsBytes(result.Columns.AsSpan()));
            file.ReadExactly(MemoryMarshal.AsBytes(result.Values.AsSpan()));
            return result;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private PythonProcess Load<T>(SpGemmWorkload<T> workload) where T : unmanaged, INumber<T>
    {
        PythonProcess python = _python.Value!;
        if (ReferenceEquals(_loaded, workload))
            return python;
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
        {
            Write(file, workload.Left);
            Write(file, workload.Right);
        }
        string type = typeof(T) == typeof(float) ? "float32" : "float64";
        python.Ask($"load {workload.Left.RowCount} {workload.Left.ColumnCount} {workload.Right.ColumnCount} {workload.Left.EntryCount} " +
            $"{workload.Right.EntryCount} {type} {path}");
        File.Delete(path);
        _loaded = workload;
        return python;
    }

    private static void Write<T>(FileStream file, CsrMatrix<T> matrix) where T : unmanaged, INumber<T>
    {
        file.Write(MemoryMarshal.AsBytes(Array.ConvertAll(matrix.RowPointers.ToArray(), i => (int)i).AsSpan()));
        file.Write(MemoryMarshal.AsBytes(matrix.Columns));
        file.Write(MemoryMarshal.AsBytes(matrix.Values));
    }

    private sealed class Session<T>(SciPyProduct rival, SpGemmWorkload<T> workload) : IContender where T : unmanaged, INumber<T>
    {
        public string Identity => SciPyProduct.Identity;

        public int Threads => 1;

        public double Tolerance => ProductTolerance;

        public double Time(int calls) => double.Parse(rival.Load(workload).Ask($"run {calls}"), CultureInfo.InvariantCulture);

        public double LargestError()
        {
            rival.Load(workload);
            return workload.LargestError(rival.Result<T>(target => $"save {target}", workload.Left.RowCount));
        }

        public void Dispose() => rival._loaded = null;
    }
}
