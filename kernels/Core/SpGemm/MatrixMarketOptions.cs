namespace Kernels;

/// <summary>How to read a Matrix Market file. The default value is strict.</summary>
public readonly record struct MatrixMarketOptions
{
    /// <summary>What becomes of several entries at one place; by default they are added.</summary>
    public DuplicateEntries Duplicates { get; init; }

    /// <summary>Also takes a first line and comments that begin with spaces, and a first line with one percent sign.</summary>
    public bool Lenient { get; init; }

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
