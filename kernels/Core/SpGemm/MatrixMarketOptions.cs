namespace Kernels;

/// <summary>How to read a Matrix Market file. The default value is strict.</summary>
public readonly record struct MatrixMarketOptions
{
    /// <summary>What becomes of several entries at one place; by default they are added.</summary>
    public DuplicateEntries Duplicates { get; init; }

    /// <summary>
    /// Also takes what others write against the rules: a byte order mark, a first line and comments that begin with spaces, a first line with one percent sign,
    /// comments among the entries and behind them, zeros on the diagonal of a skew-symmetric matrix (they are stored), and numbers with the exponent D of
    /// Fortran (1.5D+02).
    /// </summary>
    public bool Lenient { get; init; }

    /// <summary>
    /// The most rows. Each takes 8 bytes whether it has entries or not, so a short file could ask for any amount of memory by what it announces. 0 (the
    /// default) stands for 16,777,216, or 16 rows for each entry in the file where that is more; <see cref="int.MaxValue"/> allows whatever fits an array.
    /// </summary>
    public int MaxRows { get; init; }

    internal const int RowsOfAnyFile = 1 << 24, RowsPerEntry = 16;

    /// <summary>Parallelism and cancellation; there are no variants.</summary>
    public KernelOptions Kernel { get; init; }
}

/// <summary>How to write a Matrix Market file. The default value writes coordinates without symmetry.</summary>
public readonly record struct MatrixMarketWriteOptions
{
    /// <summary>Writes only the entries on and below the diagonal, if the matrix has this symmetry; else the call fails.</summary>
    public MatrixMarketSymmetry Symmetry { get; init; }

    /// <summary>Writes every value, column by column, instead of coordinates; entries that are not stored become zeros.</summary>
    public bool IsArray { get; init; }

    /// <summary>Writes no values.</summary>
    public bool IsPattern { get; init; }

    /// <summary>Lines of comment, without the percent sign; <see langword="null"/> for none.</summary>
    public string? Comment { get; init; }
}
