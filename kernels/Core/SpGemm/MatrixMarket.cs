using System.IO.Compression;
using Kernels.Core.SpGemm;
using Kernels.Core.Tensors;

namespace Kernels;

/// <summary>
/// Reads and writes Matrix Market files (Boisvert, Pozo and Remington, NISTIR 5935): coordinate and array; real, integer, complex and pattern; general,
/// symmetric, skew-symmetric and hermitian; matrices and vectors; LF or CRLF; plain, gzip, or the one matrix of a tar archive, plain or gzip (as the
/// SuiteSparse collection packs them).
/// </summary>
/// <remarks>
/// <para>Plain files are mapped, not copied, and parsed by several threads in pieces of whole lines; the result does not depend on their number. Numbers are
/// rounded once, correctly. Strict by default: a <see cref="TensorFileException"/> names the first line at fault, for indices out of range, entries above the
/// diagonal of a symmetric file, values that do not fit the type, and more or fewer entries than announced.</para>
/// <para>Any field reads as <see cref="System.Numerics.Complex"/>; integers and patterns (ones) as every type, integers beyond 64 bits as floating-point types
/// only; real numbers as floating-point types only. Arrays are stored without their zeros; explicit zeros of coordinate files stay. Files may have at most as
/// many lines as an array holds elements.</para>
/// <para>Memory grows with the entries that are there, not with those announced; how many rows may be announced, <see cref="MatrixMarketOptions.MaxRows"/>
/// says. Compressed files are unpacked and read in blocks of 16 MiB, which is also the most that a line may have. Their end and every check sum are verified;
/// trailing zeros and other bytes behind the last gzip member are passed over, as gzip does.</para>
/// </remarks>
public static unsafe class MatrixMarket
{
    /// <summary>Reads a matrix, or a vector as a matrix of one column.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Duplicates, leniency, limits, parallelism.</param>
    /// <typeparam name="T">The type of the values.</typeparam>
    /// <exception cref="TensorFileException">The file is not what it should be, or does not fit the type.</exception>
    public static CsrMatrix<T> Read<T>(string path, MatrixMarketOptions options = default) where T : unmanaged, IEquatable<T>
    {
        using MatrixMarketText text = MatrixMarketFile.Open(path);
        return MatrixMarketReader.Read<T>(text, options);
    }

    /// <summary>Reads a matrix from a text in memory.</summary>
    /// <param name="text">The whole file, not compressed.</param>
    /// <param name="options">Duplicates, leniency, limits, parallelism.</param>
    /// <typeparam name="T">The type of the values.</typeparam>
    /// <exception cref="TensorFileException">The text is not what it should be, or does not fit the type.</exception>
    public static CsrMatrix<T> Parse<T>(ReadOnlySpan<byte> text, MatrixMarketOptions options = default) where T : unmanaged, IEquatable<T>
    {
        fixed (byte* first = text)
        {
            using var memory = new MemoryText(first, text.Length, nameof(text));
            return MatrixMarketReader.Read<T>(memory, options);
        }
    }

    /// <summary>Reads what the first lines of a file say.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Leniency.</param>
    /// <exception cref="TensorFileException">They are not what they should be.</exception>
    public static MatrixMarketHeader ReadHeader(string path, MatrixMarketOptions options = default)
    {
        using MatrixMarketText text = MatrixMarketFile.Open(path);
        return MatrixMarketReader.ReadHeader(text, options.Lenient, out _);
    }

    /// <summary>Writes a matrix; numbers so that they read back as the same bits. The file appears under its name only when it is whole.</summary>
    /// <param name="path">The file; if it ends in <c>.gz</c>, it is compressed.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="options">Symmetry, format, comment.</param>
    /// <typeparam name="T">The type of the values; <see cref="bool"/> is written as integers.</typeparam>
    /// <exception cref="ArgumentException">The matrix does not have the symmetry asked for, or an array was asked for without values or with
    /// duplicates.</exception>
    public static void Write<T>(string path, CsrMatrix<T> matrix, MatrixMarketWriteOptions options = default) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(matrix);
        MatrixMarketWriter<T>.Check(matrix, options);
        using var file = new AtomicFile(path);
        using var stream = new FileStream(file.Handle, FileAccess.Write);
        if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            using var packed = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
            MatrixMarketWriter<T>.Write(packed, matrix, options);
        }
        else
        {
            MatrixMarketWriter<T>.Write(stream, matrix, options);
        }
        stream.Flush();
        file.Commit();
    }
}
