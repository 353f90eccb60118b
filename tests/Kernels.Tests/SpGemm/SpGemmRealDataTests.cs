using System.Numerics;
using System.Text.Json;

namespace Kernels.Tests;

/// <summary>Matrices of the SuiteSparse collection and other projects' Matrix Market files, beside this checkout.</summary>
public sealed class SpGemmRealDataTests
{
    private const double Tolerance = 64 * 1.1102230246251565e-16;

    public static TheoryData<string> Matrices =>
    [
        "08blocks", "494_bus", "adder_dcop_05", "ash219", "bcspwr10", "bcsstk13", "ca-GrQc", "cage8", "crack", "fidapex6", "jagmesh7", "jazz", "karate",
            "lp_e226", "plskz362",
        "rajat19", "west0479", "young1c",
    ];

    [SkippableTheory]
    [MemberData(nameof(Matrices))]
    public void SquaresAreThoseOfTheOracle(string name)
    {
        string path = SharedData.Find($"sparse/suitesparse/{name}.mtx");
        if (MatrixMarket.ReadHeader(path).Field == MatrixMarketField.Complex)
            Check(MatrixMarket.Read<Complex>(path), value => value);
        else
            Check(MatrixMarket.Read<double>(path), SpGemmCases.ToComplex);
    }

    private static void Check<T>(CsrMatrix<T> matrix, Func<T, Complex> value) where T : unmanaged, INumberBase<T>
    {
        CsrMatrix<T> right = matrix.RowCount == matrix.ColumnCount ? matrix : matrix.Transpose();
        CsrMatrix<T> product = SpGemm.Multiply(matrix, right);
        SpGemmOracle.Multiply(matrix, right, value).AssertEqual(product, value, Tolerance);
        foreach (string variant in SpGemmCases.Identities<T>())
            SpGemmCases.AssertSame(product, SpGemm.Multiply(matrix, right, new() { Kernel = new() { Variant = variant, MaxDegreeOfParallelism = 3 } }));
    }

    [SkippableFact]
    public void TriangleCounts()
    {
        using JsonDocument counts = JsonDocument.Parse(File.ReadAllText(SharedData.Find("sparse/lagraph_triangle_counts.json")));
        foreach (JsonProperty count in counts.RootElement.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.Number))
            Assert.Equal(count.Value.GetInt64(), Sparse.CountTriangles(MatrixMarket.Read<double>(SharedData.Find($"sparse/suitesparse/{count.Name}"))));
    }

    private static string Folder(string relative, string anyFile) => Path.GetDirectoryName(SharedData.Find($"{relative}/{anyFile}"))!;

    [SkippableFact]
    public void ValidFilesAreReadAndInvalidOnesRefused()
    {
        string root = Folder("sparse/fmm-tests", "eye3.mtx");
        foreach (string path in Directory.GetFiles(root, "*.mtx").Concat(Directory.GetFiles(Path.Combine(root, "graphblas")))
            .Concat(Directory.GetFiles(Path.Combine(root, "symmetry"))).Concat(Directory.GetFiles(Path.Combine(root, "symmetry_array"))))
            Assert.True(MatrixMarket.Read<Complex>(path).EntryCount > 0, path);
        foreach (string path in Directory.GetFiles(Path.Combine(root, "invalid")))
            Assert.Equal(path, Assert.Throws<TensorFileException>(() => MatrixMarket.Read<Complex>(path)).FileName);
        foreach (string path in Directory.GetFiles(Path.Combine(root, "permissive")))
        {
            if (!path.Contains("windows", StringComparison.Ordinal))
                Assert.Throws<TensorFileException>(() => MatrixMarket.Read<double>(path));
            Assert.True(MatrixMarket.Read<double>(path, new() { Lenient = true }).EntryCount > 0, path);
        }
        foreach (string path in Directory.GetFiles(Path.Combine(root, "overflow")))
        {
            // An index beyond 8 bits fits ours; a value beyond 32 bits is refused for int alone, one beyond 64 bits for integers alone.
            if (path.Contains("index_gt_int8", StringComparison.Ordinal))
                Assert.Equal(1, MatrixMarket.Read<double>(path).EntryCount);
            else if (path.Contains("value_gt_int32", StringComparison.Ordinal))
                Assert.Equal(8589934592, MatrixMarket.Read<long>(path).Values[0]);
            else if (path.Contains("value_gt_int64", StringComparison.Ordinal))
                Assert.Throws<TensorFileException>(() => MatrixMarket.Read<long>(path));
            else
                Assert.Throws<TensorFileException>(() => MatrixMarket.Read<Complex>(path));
        }
        Assert.Throws<TensorFileException>(() => MatrixMarket.Read<int>(Path.Combine(root, "overflow", "overflow_value_gt_int32.mtx")));
    }

    [SkippableFact]
    public void SymmetricFilesEqualTheirGeneralForms()
    {
        string root = Folder("sparse/fmm-tests", "eye3.mtx");
        foreach (string folder in new[] { "symmetry", "symmetry_array" })
        {
            foreach (string path in Directory.GetFiles(Path.Combine(root, folder)).Where(path => !path.Contains("general", StringComparison.Ordinal)))
            {
                // Equal as numbers: zeros may differ by sign.
                CsrMatrix<Complex> general = MatrixMarket.Read<Complex>(path.Replace(".mtx", "_general.mtx", StringComparison.Ordinal)),
                    mirrored = MatrixMarket.Read<Complex>(path);
                Assert.Equal(general.RowPointers.ToArray(), mirrored.RowPointers.ToArray());
                Assert.Equal(general.Columns.ToArray(), mirrored.Columns.ToArray());
                Assert.Equal(general.Values.ToArray(), mirrored.Values.ToArray());
            }
        }
    }

    [SkippableFact]
    public void EveryTypeOfFileIsReadAndWrittenBack()
    {
        foreach (string path in Directory.GetFiles(Folder("sparse/mmtypes", "mmtype-01.mtx")))
        {
            MatrixMarketHeader header = MatrixMarket.ReadHeader(path);
            CsrMatrix<Complex> matrix = MatrixMarket.Read<Complex>(path);
            Assert.Equal((header.RowCount, header.ColumnCount), (matrix.RowCount, matrix.ColumnCount));
            // These hermitian files have complex diagonals, which is no symmetry to write.
            MatrixMarketSymmetry symmetry = header.Symmetry == MatrixMarketSymmetry.Hermitian ? MatrixMarketSymmetry.General : header.Symmetry;
            string copy = Path.GetTempFileName();
            MatrixMarket.Write(copy, matrix, new() { Symmetry = symmetry, IsArray = header.IsArray, IsPattern = header.Field == MatrixMarketField.Pattern });
            SpGemmCases.AssertSame(matrix, MatrixMarket.Read<Complex>(copy));
            File.Delete(copy);
        }
    }
}
