using System.Text;

namespace Kernels.Tests;

/// <summary>Sparse matrices and their files.</summary>
internal static partial class OptionCases
{
    // The product's first row meets its columns in descending order, and one of its sums is 0.
    private static readonly CsrMatrix<double> s_left = CsrMatrix.FromDense<double>([1, 1, 0, 0, 1, 0, 0, 0, 1], 3, 3);
    private static readonly CsrMatrix<double> s_right = CsrMatrix.FromDense<double>([0, 1, 2, 3, -1, 0, 1, 0, 0], 3, 3);
    private static readonly CsrMatrix<double> s_symmetric = CsrMatrix.FromDense<double>([1, 2, 2, 0], 2, 2);
    private const string Banner = "%%MatrixMarket matrix coordinate real general\n";

    public static IEnumerable<OptionCase> Sparse() =>
    [
        OptionCase.Of<bool>("SpGemmOptions.Unsorted", value => Multiply(new() { Unsorted = value }), (false, true), [false, true], []),
        OptionCase.Of<bool>("SpGemmOptions.DropZeros", value => Multiply(new() { DropZeros = value }), (false, true), [false, true], [])
            .Refuses("in a plan", () => SpGemm.Plan(s_left, s_right, new() { DropZeros = true })),
        OptionCase.Of<SpGemmMask?>("SpGemmOptions.Mask", mask => Multiply(new() { Mask = mask }), (null, SpGemmMask.Of(s_left)),
            [null, SpGemmMask.Of(s_left).Complement()], [])
            .Refuses("of another shape", () => Multiply(new() { Mask = SpGemmMask.Of(s_symmetric) })),
        OptionCase.Of<CsrMatrix<double>?>("SpGemmOptions.Addend", addend => Multiply(new() { Addend = addend }), (null, s_left), [null, s_left], [])
            .Refuses("of another shape", () => Multiply(new() { Addend = s_symmetric }))
                .Refuses("in a plan", () => SpGemm.Plan(s_left, s_right, new() { Addend = s_left })),
        OptionCase.Of<long>("SpGemmOptions.MaxResultBytes", bytes =>
            OptionCase.Outcome<InsufficientMemoryException>(() => Multiply(new() { MaxResultBytes = bytes })), (0, 1), [0, 1, long.MaxValue],
            [-1, long.MinValue]),
        OptionCase.Of<SpGemmWorkspace?>("SpGemmOptions.Workspace", workspace => $"{Multiply(new() { Workspace = workspace })} {workspace?.ScratchBytes > 0}",
            (null, new()), [null, new()], []),
        OptionCase.Kernel("SpGemmOptions", kernel => Multiply(new() { Kernel = kernel })),

        OptionCase.Of<DuplicateEntries>("MatrixMarketOptions.Duplicates", value =>
            OptionCase.Outcome<TensorFileException>(() => Read(Banner + "2 2 2\n1 1 1\n1 1 2\n", new() { Duplicates = value })),
            (DuplicateEntries.Sum, DuplicateEntries.Refuse), Enum.GetValues<DuplicateEntries>(), [(DuplicateEntries)(-1), DuplicateEntries.Keep + 1]),
        OptionCase.Of<bool>("MatrixMarketOptions.Lenient", value =>
            OptionCase.Outcome<TensorFileException>(() => Read(Banner + "1 1 1\n1 1 1.5D+02\n", new() { Lenient = value })), (false, true), [false, true], []),
        OptionCase.Of<int>("MatrixMarketOptions.MaxRows", value =>
            OptionCase.Outcome<TensorFileException>(() => Read(Banner + "3 2 1\n1 1 1\n", new() { MaxRows = value })), (0, 2), [0, 1, int.MaxValue],
            [-1, int.MinValue]),
        OptionCase.Kernel("MatrixMarketOptions", kernel => Read(Banner + "1 1 1\n1 1 1\n", new() { Kernel = kernel }), hasVariants: false),

        OptionCase.Of<MatrixMarketSymmetry>("MatrixMarketWriteOptions.Symmetry", value => Write(new() { Symmetry = value }),
            (MatrixMarketSymmetry.General, MatrixMarketSymmetry.Symmetric),
            [MatrixMarketSymmetry.General, MatrixMarketSymmetry.Symmetric], [(MatrixMarketSymmetry)(-1), MatrixMarketSymmetry.Hermitian + 1])
                .Refuses("that it lacks", () => Write(new() { Symmetry = MatrixMarketSymmetry.SkewSymmetric })),
        OptionCase.Of<bool>("MatrixMarketWriteOptions.IsArray", value => Write(new() { IsArray = value }), (false, true), [false, true], []),
        OptionCase.Of<bool>("MatrixMarketWriteOptions.IsPattern", value => Write(new() { IsPattern = value }), (false, true), [false, true], [])
            .Refuses("of an array", () => Write(new() { IsPattern = true, IsArray = true })),
        OptionCase.Of<string?>("MatrixMarketWriteOptions.Comment", value => Write(new() { Comment = value }), (null, "two\nlines"), [null, "", "\n", "% 1 1 1"],
            []),
    ];

    private static string Multiply(SpGemmOptions<double> options)
    {
        CsrMatrix<double> product = SpGemm.Multiply(s_left, s_right, options);
        return $"{OptionCase.Text(product.RowPointers)} / {OptionCase.Text(product.Columns)} / {OptionCase.Text(product.Values)}";
    }

    private static void Read(string text, MatrixMarketOptions options) => MatrixMarket.Parse<double>(Encoding.ASCII.GetBytes(text), options);

    // What was written has the same entries when it is read, whatever the options.
    private static string Write(MatrixMarketWriteOptions options)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            MatrixMarket.Write(path, s_symmetric, options);
            Assert.Equal(s_symmetric.EntryCount, MatrixMarket.Read<double>(path).EntryCount);
            return File.ReadAllText(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
