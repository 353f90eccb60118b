using Kernels.Core.Checks;
using Kernels.Core.Elements;

namespace Kernels.Core.SpGemm;

/// <summary>From a text to a matrix: header, then block by block its entries.</summary>
internal static unsafe class MatrixMarketReader
{
    // No header with its comments is longer.
    private const int MostHeaderBytes = StreamText.BlockBytes;

    public static MatrixMarketHeader ReadHeader(MatrixMarketText text, bool isLenient, out MatrixMarketBlock rest)
    {
        text.Next(out byte* block, out long length);
        var head = new ReadOnlySpan<byte>(block, (int)Math.Min(length, MostHeaderBytes));
        if (head.Length < length)
            head = head[..(head.LastIndexOf((byte)'\n') + 1)];
        var lines = new MatrixMarketLines(head, text.Name, 0) { IsLenient = isLenient };
        MatrixMarketHeader header = MatrixMarketHeader.Parse(ref lines);
        rest = new() { Text = block, Begin = lines.Position, End = length, FirstLine = lines.LineNumber };
        return header;
    }

    public static CsrMatrix<T> Read<T>(MatrixMarketText text, in MatrixMarketOptions options) where T : unmanaged, IEquatable<T>
    {
        CsrChecks.ValueType<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxRows, nameof(options.MaxRows));
        Check.Defined(options.Duplicates, nameof(options.Duplicates));
        Check.KernelWithoutVariants(options.Kernel, "reading Matrix Market files");
        MatrixMarketHeader header = ReadHeader(text, options.Lenient, out MatrixMarketBlock block);
        if (!MatrixMarketValue.CanRead<T>(header.Field))
            throw new TensorFileException(text.Name, 1, $"{header.Field.ToString().ToLowerInvariant()} values cannot be read as {TypeName.Of<T>()}");
        var entries = new MatrixMarketAssembly<T>(header, text.Name, block.FirstLine, options);
        do
        {
            entries.Add(block);
            block.Begin = 0;
        }
        while (text.Next(out block.Text, out block.End));
        return entries.ToMatrix();
    }
}

/// <summary>Whole lines in memory: those from <see cref="Begin"/> to <see cref="End"/>.</summary>
internal unsafe struct MatrixMarketBlock
{
    public byte* Text;
    public long Begin, End;

    /// <summary>Lines of the file before it.</summary>
    public long FirstLine;
}
