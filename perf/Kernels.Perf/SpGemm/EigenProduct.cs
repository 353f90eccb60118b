using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>
/// Eigen's sparse product, f64, sorted, one thread, through a shim of thirty lines that the machine's own compiler makes when first asked for.
/// </summary>
internal static unsafe class EigenProduct
{
    private const string Identity = "rival/eigen", Headers = "/usr/include/eigen3";

    private static nint s_library;

    public static RivalStatus Status { get; } = Compile() is { } reason ? new(Identity, "", reason) : new(Identity, "Eigen 3, g++ -O3 -march=native", null);

    public static IContender Open<T>(SpGemmWorkload<T> workload) where T : unmanaged, INumber<T>
    {
        var (left, right) = ((CsrMatrix<double>)(object)workload.Left, (CsrMatrix<double>)(object)workload.Right);
        var open = (delegate* unmanaged<int, int, int, int, int*, int*, double*, int, int*, int*, double*, nint>)Export("eigen_open");
        var multiply = (delegate* unmanaged<nint, void>)Export("eigen_multiply");
        var close = (delegate* unmanaged<nint, void>)Export("eigen_close");
        nint product;
        fixed (int* leftPointers = Pointers(left), rightPointers = Pointers(right), leftColumns = left.Columns, rightColumns = right.Columns)
        fixed (double* leftValues = left.Values, rightValues = right.Values)
        {
            product = open(left.RowCount, left.ColumnCount, right.ColumnCount, (int)left.EntryCount, leftPointers, leftColumns, leftValues,
                (int)right.EntryCount, rightPointers, rightColumns, rightValues);
        }
        return workload.Rival(Identity, 1, () => multiply(product), () => ((long[], int[], T[]))(object)Result(product, left.RowCount), () => close(product));
    }

    private static (long[] Pointers, int[] Columns, double[] Values) Result(nint product, int rowCount)
    {
        var result = (delegate* unmanaged<nint, int**, int**, double**, int>)Export("eigen_result");
        int* pointers, indices;
        double* values;
        int count = result(product, &pointers, &indices, &values);
        return (Array.ConvertAll(new Span<int>(pointers, rowCount + 1).ToArray(), i => (long)i), new Span<int>(indices, count)
            .ToArray(), new Span<double>(values, count).ToArray());
    }

    private static int[] Pointers(CsrMatrix<double> matrix) => Array.ConvertAll(matrix.RowPointers.ToArray(), i => (int)i);

    private static nint Export(string name) => NativeLibrary.GetExport(s_library, name);

    // Null if the shim is loaded, otherwise what is missing.
    private static string? Compile()
    {
        if (!Directory.Exists(Headers))
            return $"absent: {Headers} is not there (Debian: libeigen3-dev)";
        (s_library, string? reason) = NativeShim.Load("eigen_product.cpp", "-O3", "-DNDEBUG", "-march=native", "-I", Headers);
        return reason;
    }
}
