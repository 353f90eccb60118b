using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Kernels.Core.SpGemm;

namespace Kernels.Tests;

/// <summary>Compressed files: whole ones are read, whatever their members and padding; cut or damaged ones never are.</summary>
public sealed class MatrixMarketPackedTests : IDisposable
{
    // The last value's digits are the last bytes: what is cut off changes it, and nothing else.
    private const string Text = "%%MatrixMarket matrix coordinate real general\n3 3 3\n1 1 1.25\n2 2 2.5\n3 3 123456789.125\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(Encoding.ASCII.GetBytes(text));
        return packed.ToArray();
    }

    private static byte[] Tar(params (string Name, string Text)[] files)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, leaveOpen: true))
        {
            foreach ((string name, string text) in files)
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(text)) });
        }
        return archive.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    private string File(byte[] bytes)
    {
        string path = _folder.File("matrix.mtx.gz");
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    private CsrMatrix<double> Read(byte[] bytes) => MatrixMarket.Read<double>(File(bytes));

    private void AssertRead(byte[] bytes) => Assert.Equal([1.25, 2.5, 123456789.125], Read(bytes).Values.ToArray());

    private string Refused(byte[] bytes)
    {
        TensorFileException refused = Assert.Throws<TensorFileException>(() => Read(bytes));
        Assert.EndsWith("matrix.mtx.gz", refused.FileName, StringComparison.Ordinal);
        return refused.Message;
    }

    [Fact]
    public void GzipCutShortIsRefusedWhereverItIsCut()
    {
        byte[] whole = Gzip(Text);
        AssertRead(whole);
        for (int length = 2; length < whole.Length; length++)
            Refused(whole[..length]);
        Assert.Contains("cut short", Refused(whole[..^1]), StringComparison.Ordinal);
    }

    [Fact]
    public void ASecondMemberCutShortIsRefused()
    {
        byte[] first = Gzip(Text[..60]), second = Gzip(Text[60..]), both = [.. first, .. second];
        AssertRead(both);
        for (int length = first.Length + 2; length < both.Length; length++)
            Refused(both[..length]);
    }

    [Fact]
    public void AnyBitDamagedIsRefusedOrHarmless()
    {
        byte[] whole = Gzip(Text);
        // Time, compression level and system, bytes 4 to 9, do not matter to anyone.
        foreach (int place in Enumerable.Range(0, whole.Length).Where(place => place is < 4 or >= 10))
        {
            byte[] damaged = [.. whole];
            damaged[place] ^= 0x10;
            Assert.True(place != whole.Length - 6 || Refused(damaged).Contains("damaged", StringComparison.Ordinal));
            Assert.Throws<TensorFileException>(() => Read(damaged));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADamagedArchiveIsRefusedOrHarmless(bool isGzip)
    {
        byte[] archive = Tar(("a/a_b.mtx", "rubbish"), ("a/a.mtx", Text)), whole = isGzip ? Gzip(archive) : archive;
        for (int place = 0; place < (isGzip ? whole.Length : 512); place++)
        {
            foreach (int bit in new[] { 1, 6 })
            {
                byte[] damaged = [.. whole];
                damaged[place] ^= (byte)(1 << bit);
                try
                {
                    AssertRead(damaged);
                }
                catch (TensorFileException refused)
                {
                    Assert.Contains("matrix.mtx.gz", refused.FileName, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void MembersPaddingAndWhatFollowsAreTakenAsGzipTakesThem()
    {
        byte[] empty = Gzip("");
        AssertRead([.. empty, .. Gzip(Text[..7]), .. empty, .. Gzip(Text[7..]), .. empty]);
        AssertRead([.. Gzip(Text), .. new byte[1000]]);
        AssertRead([.. Gzip(Text), .. "anything else"u8]);
        AssertRead([.. Gzip(Text), .. new byte[3], .. "anything else"u8]);
        Assert.Equal(3, MatrixMarket.ReadHeader(File(Gzip(Text))).StoredCount);
    }

    [Fact]
    public void EveryPartOfAGzipHeaderIsPassedOver()
    {
        byte[] plain = Gzip(Text);
        byte[] header = [0x1F, 0x8B, 8, 0b1_1110, 0, 0, 0, 0, 0, 3, 4, 0, 1, 2, 3, 4, .. "name\0comment\0"u8, 9, 9];
        AssertRead([.. header, .. plain[10..]]);
        header[3] |= 0x20;
        Assert.Contains("reserved", Refused([.. header, .. plain[10..]]), StringComparison.Ordinal);
        header[2] = 7;
        Assert.Contains("unknown method", Refused([.. header, .. plain[10..]]), StringComparison.Ordinal);
    }

    [Fact]
    public void ManyBlocksAreReadAsOne()
    {
        CsrMatrix<double> matrix = SpGemmCases.Scattered(120_000, 300_000, 8, 1);
        string plain = _folder.File("plain.mtx"), packed = _folder.File("packed.mtx.gz");
        MatrixMarket.Write(plain, matrix);
        MatrixMarket.Write(packed, matrix);
        Assert.True(new FileInfo(plain).Length > StreamText.BlockBytes);
        foreach (int threads in new[] { 1, 3 })
            SpGemmCases.AssertSame(matrix, MatrixMarket.Read<double>(packed, new() { Kernel = new() { MaxDegreeOfParallelism = threads } }));
        // A fault in the second block keeps its line's number.
        string[] lines = System.IO.File.ReadAllLines(plain);
        lines[^2] = "1 x 1";
        System.IO.File.WriteAllBytes(packed, Gzip(string.Join('\n', lines)));
        Assert.Equal(lines.Length - 1, Assert.Throws<TensorFileException>(() => MatrixMarket.Read<double>(packed)).Line);
    }

    [Fact]
    public void WhatUnpacksToMoreThanAnnouncedIsRefused()
    {
        // 128 MiB of entries, of line feeds, and of one line, in some hundred kilobytes each.
        foreach ((string piece, string expected) in new[] { ("1 1 1\n", "announced"), ("\n", "0 entries"), ("1", "longer") })
        {
            string path = _folder.File("bomb.mtx.gz");
            using (var gzip = new GZipStream(System.IO.File.Create(path), CompressionLevel.Fastest))
            {
                gzip.Write(Encoding.ASCII.GetBytes("%%MatrixMarket matrix coordinate real general\n1 1 1\n"));
                byte[] block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(piece, (1 << 20) / piece.Length)));
                for (int i = 0; i < 128; i++)
                    gzip.Write(block);
            }
            Assert.Contains(expected, Assert.Throws<TensorFileException>(() => MatrixMarket.Read<double>(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void TheMatrixOfAnArchiveIsRead()
    {
        byte[] one = Tar(("m/README", "text"), ("m/m.mtx", Text));
        AssertRead(one);
        AssertRead(Gzip(one));
        // As the SuiteSparse collection packs a matrix and its right-hand side.
        AssertRead(Gzip(Tar(("m/m_b.mtx", "%%MatrixMarket matrix array real general\n1 1\n7\n"), ("m/m.mtx", Text))));
        Assert.Contains("a.mtx and b.mtx", Refused(Tar(("a.mtx", Text), ("b.mtx", Text))), StringComparison.Ordinal);
        Assert.Contains("no .mtx", Refused(Tar(("a.txt", Text))), StringComparison.Ordinal);
        byte[] packed = Gzip(one);
        foreach (int length in (int[])[packed.Length - 1, packed.Length - 9, packed.Length / 2])
            Refused(packed[..length]);
        Refused(one[..1400]);
    }

    [Theory]
    [InlineData("zip", new byte[] { (byte)'P', (byte)'K', 3, 4 })]
    [InlineData("xz", new byte[] { 0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0 })]
    [InlineData("bzip2", new byte[] { (byte)'B', (byte)'Z', (byte)'h', (byte)'9' })]
    [InlineData("zstd", new byte[] { 0x28, 0xB5, 0x2F, 0xFD })]
    public void OtherCompressionsAreNamed(string name, byte[] first) => Assert.Contains(name, Refused([.. first, 1, 2, 3]), StringComparison.Ordinal);

    [Fact]
    public void TheCheckSumIsThatOfGzip()
    {
        var check = new Crc32();
        check.Add("123456789"u8);
        // The check value that every catalogue of CRCs gives.
        Assert.Equal(0xCBF4_3926, check.Value);
        // Pieces of all lengths, in registers and by tables, against the polynomial's definition bit by bit.
        var random = new Random(1);
        byte[] bytes = new byte[400];
        for (int length = 0; length < bytes.Length; length++)
        {
            random.NextBytes(bytes);
            int cut = random.Next(length + 1);
            var pieces = new Crc32();
            pieces.Add(bytes.AsSpan(0, cut));
            pieces.Add(bytes.AsSpan(cut, length - cut));
            uint expected = ~0u;
            for (int bit = 0; bit < 8 * length; bit++)
                expected = (expected >> 1) ^ (((expected ^ (uint)(bytes[bit / 8] >> (bit % 8))) & 1) == 0 ? 0 : 0xEDB8_8320);
            Assert.Equal(~expected, pieces.Value);
        }
    }
}
