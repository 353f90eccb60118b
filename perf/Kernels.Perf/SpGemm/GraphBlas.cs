using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>
/// SuiteSparse:GraphBLAS, GrB_mxm over plus and times in f64. GrB_Matrix_wait, which sorts rows that were left unsorted, is within the time of sorted products.
/// </summary>
internal static unsafe partial class GraphBlas
{
    private const string Library = "libgraphblas.so.7", Identity = "rival/graphblas";

    // GraphBLAS.h: GrB_NONBLOCKING, GrB_MATERIALIZE, GxB_NTHREADS, GxB_LIBRARY_VERSION.
    private const int NonBlocking = 0, Materialize = 1, ThreadCountOption = 5, VersionOption = 9;

    private static readonly Lazy<bool> s_initialised = new(() => Initialise(NonBlocking) == 0);

    public static RivalStatus Status { get; } = NativeRival.AbsentReason("libgraphblas7", Library) is { } reason ? new(Identity, "", reason)
        : new(Identity, Version(), null);

    public static IContender Open<T>(SpGemmWorkload<T> workload, int threads) where T : unmanaged, INumber<T>
    {
        Demand(s_initialised.Value ? 0 : -1);
        nint semiring = Global("GrB_PLUS_TIMES_SEMIRING_FP64");
        nint left = Copy((CsrMatrix<double>)(object)workload.Left), right = Copy((CsrMatrix<double>)(object)workload.Right), result = 0;
        int rows = workload.Left.RowCount, columns = workload.Right.ColumnCount;
        return workload.Rival(Identity, threads, Call, () => ((long[], int[], T[]))(object)Result(result, rows), Release);

        void Call()
        {
            Free(ref result);
            Demand(SetOption(ThreadCountOption, threads));
            Demand(Create(out result, Global("GrB_FP64"), (ulong)rows, (ulong)columns));
            Demand(Multiply(result, 0, 0, semiring, left, right, 0));
            if (workload.Case.IsSorted)
                Demand(Wait(result, Materialize));
        }

        void Release()
        {
            Free(ref left);
            Free(ref right);
            Free(ref result);
        }
    }

    private static string Version()
    {
        Span<int> version = stackalloc int[3];
        Demand(s_initialised.Value ? GetOption(VersionOption, ref version[0]) : -1);
        return $"SuiteSparse:GraphBLAS {version[0]}.{version[1]}.{version[2]}, its precompiled semiring; sparse times sparse has no kernels by instruction set";
    }

    private static nint Copy(CsrMatrix<double> matrix)
    {
        (int[] rows, int[] columns, double[] values) = matrix.ToCoo();
        Demand(Create(out nint copy, Global("GrB_FP64"), (ulong)matrix.RowCount, (ulong)matrix.ColumnCount));
        Demand(Build(copy, Array.ConvertAll(rows, i => (ulong)i), Array.ConvertAll(columns, i => (ulong)i), values, (ulong)values.Length,
            Global("GrB_PLUS_FP64")));
        Demand(Wait(copy, Materialize));
        return copy;
    }

    private static (long[] Pointers, int[] Columns, double[] Values) Result(nint matrix, int rowCount)
    {
        Demand(CountEntries(out ulong count, matrix));
        (ulong[] rows, ulong[] columns, double[] values) = (new ulong[count], new ulong[count], new double[count]);
        Demand(Extract(rows, columns, values, ref count, matrix));
        var pointers = new long[rowCount + 1];
        foreach (ulong row in rows)
            pointers[row + 1]++;
        for (int row = 0; row < rowCount; row++)
            pointers[row + 1] += pointers[row];
        return (pointers, Array.ConvertAll(columns, i => (int)i), values);
    }

    private static nint Global(string name) => *(nint*)NativeLibrary.GetExport(NativeLibrary.Load(Library), name);

    private static void Demand(int status)
    {
        if (status != 0)
            throw new InvalidOperationException($"GraphBLAS answered with status {status}");
    }

    [LibraryImport(Library, EntryPoint = "GrB_init")]
    private static partial int Initialise(int mode);

    [LibraryImport(Library, EntryPoint = "GxB_Global_Option_set_INT32")]
    private static partial int SetOption(int option, int value);

    [LibraryImport(Library, EntryPoint = "GxB_Global_Option_get_INT32")]
    private static partial int GetOption(int option, ref int value);

    [LibraryImport(Library, EntryPoint = "GrB_Matrix_new")]
    private static partial int Create(out nint matrix, nint type, ulong rows, ulong columns);

    [LibraryImport(Library, EntryPoint = "GrB_Matrix_free")]
    private static partial int Free(ref nint matrix);

    [LibraryImport(Library, EntryPoint = "GrB_Matrix_build_FP64")]
    private static partial int Build(nint matrix, ulong[] rows, ulong[] columns, double[] values, ulong count, nint duplicates);

    [LibraryImport(Library, EntryPoint = "GrB_Matrix_wait")]
    private static partial int Wait(nint matrix, int mode);

    [LibraryImport(Library, EntryPoint = "GrB_Matrix_nvals")]
    private static partial int CountEntries(out ulong count, nint matrix);

    [LibraryImport(Library, EntryPoint = "GrB_Matrix_extractTuples_FP64")]
    private static partial int Extract(ulong[] rows, ulong[] columns, double[] values, ref ulong count, nint matrix);

    [LibraryImport(Library, EntryPoint = "GrB_mxm")]
    private static partial int Multiply(nint result, nint mask, nint accumulate, nint semiring, nint left, nint right, nint descriptor);
}
