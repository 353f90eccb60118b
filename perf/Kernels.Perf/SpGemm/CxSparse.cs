using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>
/// CXSparse's cs_di_multiply: f64, unsorted, one thread. Rows compressed here are columns compressed there, so it computes the transposed product of
/// transposes.
/// </summary>
internal static unsafe partial class CxSparse
{
    private const string Library = "libcxsparse.so.3", Identity = "rival/cxsparse";

    public static RivalStatus Status { get; } = NativeRival.AbsentReason("libcxsparse3", Library) is { } reason ? new(Identity, "", reason)
        : new(Identity, "CXSparse 3, plain C compiled for x86-64 without AVX; it has no other kernels", null);

    public static IContender Open<T>(SpGemmWorkload<T> workload) where T : unmanaged, INumber<T>
    {
        Sparse* left = Copy((CsrMatrix<double>)(object)workload.Left), right = Copy((CsrMatrix<double>)(object)workload.Right), result = null;
        return workload.Rival(Identity, 1, Call, () => ((long[], int[], T[]))(object)Result(result), Release);

        void Call()
        {
            Free(result);
            result = Multiply(right, left);
        }

        void Release()
        {
            Free(result);
            foreach (nint operand in new[] { (nint)left, (nint)right })
            {
                NativeMemory.Free(((Sparse*)operand)->Pointers);
                NativeMemory.Free(((Sparse*)operand)->Indices);
                NativeMemory.Free(((Sparse*)operand)->Values);
                NativeMemory.Free((void*)operand);
            }
        }
    }

    private static Sparse* Copy(CsrMatrix<double> matrix)
    {
        int count = (int)matrix.EntryCount;
        var sparse = (Sparse*)NativeMemory.Alloc((nuint)sizeof(Sparse));
        *sparse = new Sparse
        {
            Room = count,
            Rows = matrix.ColumnCount,
            Columns = matrix.RowCount,
            Pointers = (int*)NativeMemory.Alloc((nuint)(matrix.RowCount + 1) * sizeof(int)),
            Indices = (int*)NativeMemory.Alloc((nuint)count + 1, sizeof(int)),
            Values = (double*)NativeMemory.Alloc((nuint)count + 1, sizeof(double)),
            Triplets = -1,
        };
        for (int row = 0; row <= matrix.RowCount; row++)
            sparse->Pointers[row] = (int)matrix.RowPointers[row];
        matrix.Columns.CopyTo(new Span<int>(sparse->Indices, count));
        matrix.Values.CopyTo(new Span<double>(sparse->Values, count));
        return sparse;
    }

    private static (long[] Pointers, int[] Columns, double[] Values) Result(Sparse* sparse)
    {
        var pointers = new long[sparse->Columns + 1];
        for (int row = 0; row < pointers.Length; row++)
            pointers[row] = sparse->Pointers[row];
        int count = (int)pointers[^1];
        return (pointers, new Span<int>(sparse->Indices, count).ToArray(), new Span<double>(sparse->Values, count).ToArray());
    }

    // cs_di of cs.h.
    [StructLayout(LayoutKind.Sequential)]
    private struct Sparse
    {
        public int Room, Rows, Columns;
        public int* Pointers, Indices;
        public double* Values;
        public int Triplets;
    }

    [LibraryImport(Library, EntryPoint = "cs_di_multiply")]
    private static partial Sparse* Multiply(Sparse* left, Sparse* right);

    [LibraryImport(Library, EntryPoint = "cs_di_spfree")]
    private static partial Sparse* Free(Sparse* sparse);
}
