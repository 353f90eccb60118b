using System.Formats.Tar;

namespace Kernels.Core.SpGemm;

/// <summary>Opens files by what they are, not by their names: plain, gzip, tar, or tar in gzip.</summary>
internal static class MatrixMarketFile
{
    private const string Extension = ".mtx";
    private const int TarBlockBytes = 512, TarMagicPlace = 257;

    /// <summary>The text of a file; of an archive, that of the one matrix in it.</summary>
    /// <exception cref="TensorFileException">It is compressed in another way, damaged, or holds no matrix or several.</exception>
    public static MatrixMarketText Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        FileStream file = File.OpenRead(path);
        try
        {
            if (!file.CanSeek || file.Length == 0)
                return new StreamText(file, path);
            byte[] first = First(file);
            if (Unreadable(first) is { } kind)
                throw new TensorFileException(path, null, 0, $"the file is {kind}, which is not read; unpack it");
            bool isGzip = first.AsSpan().StartsWith(GzipMembers.Magic);
            if (IsTar(isGzip ? Unpack(file, path, First) : first))
                return OpenMember(file, path, isGzip, isGzip ? Unpack(file, path, archive => Choose(archive, path))
                    : Choose(new Unseekable(Rewound(file), file), path));
            return isGzip ? new StreamText(new GzipMembers(Rewound(file), path), path) : MappedText.Of(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static byte[] First(Stream stream)
    {
        byte[] first = new byte[TarBlockBytes];
        return first[..stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
    }

    private static TResult Unpack<TResult>(FileStream file, string path, Func<Stream, TResult> read)
    {
        using var unpacked = new GzipMembers(Rewound(file), path, leaveOpen: true);
        return read(unpacked);
    }

    private static FileStream Rewound(FileStream file)
    {
        file.Position = 0;
        return file;
    }

    private static string? Unreadable(ReadOnlySpan<byte> first) =>
        first.StartsWith("PK"u8) ? "a zip archive" :
        first.StartsWith("BZh"u8) ? "compressed by bzip2" :
        first.StartsWith((ReadOnlySpan<byte>)[0xFD, .. "7zXZ"u8]) ? "compressed by xz" :
        first.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "compressed by zstd" :
        null;

    private static bool IsTar(ReadOnlySpan<byte> first) => first.Length == TarBlockBytes && first[TarMagicPlace..].StartsWith("ustar"u8);

    // Reads the archive to its end, so that all of it is checked.
    private static string Choose(Stream archive, string path)
    {
        List<string> names = [];
        using (var reader = new TarReader(archive, leaveOpen: true))
        {
            while (Next(reader, path) is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile
                    && entry.Name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
                    names.Add(entry.Name);
            }
        }
        archive.CopyTo(Stream.Null);
        if (names.Count == 0)
            throw new TensorFileException(path, null, null, $"the tar archive holds no {Extension} file");
        // The SuiteSparse collection packs name/name.mtx, and beside it right-hand sides and the like.
        return (names.Count == 1 ? names[0] : names.Find(IsNamedAsItsFolder))
            ?? throw new TensorFileException(path, null, null,
                $"the tar archive holds {names.Count} {Extension} files, {names[0]} and {names[1]} among them; unpack the one to be read");
    }

    private static bool IsNamedAsItsFolder(string name) => Path.GetFileNameWithoutExtension(name) == Path.GetFileName(Path.GetDirectoryName(name));

    private static MatrixMarketText OpenMember(FileStream file, string path, bool isGzip, string name)
    {
        var reader = new TarReader(isGzip ? new GzipMembers(Rewound(file), path) : new Unseekable(Rewound(file), file));
        TarEntry? entry;
        do
            entry = Next(reader, path);
        while (entry?.Name != name);
        return new StreamText(new Unseekable(entry!.DataStream ?? Stream.Null, reader), $"{path}: {name}");
    }

    private static TarEntry? Next(TarReader reader, string path)
    {
        try
        {
            return reader.GetNextEntry();
        }
        // Of sizes that are none TarReader says so in several ways; what the gzip data say of themselves goes through.
        catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException or InvalidOperationException or ArithmeticException
            or ArgumentException
            || (damaged is FormatException and not TensorFileException))
        {
            throw new TensorFileException(path, null, null, "the tar archive is damaged or cut short", damaged);
        }
    }

    /// <summary>
    /// Data that are part of something else, which is closed with them. Readers of archives cannot skip what they do not see, and so notice where it ends
    /// early.
    /// </summary>
    private sealed class Unseekable(Stream data, IDisposable owner) : ForwardStream
    {
        public override int Read(Span<byte> buffer) => data.Read(buffer);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                owner.Dispose();
            base.Dispose(disposing);
        }
    }
}
