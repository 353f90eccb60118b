using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Kernels.Tests;

/// <summary>
/// Arrays of little-endian floats in C order from a NumPy archive (.npz): a zip of .npy files, each a magic number, two version bytes, a header's length in 16
/// bits, the header and the numbers.
/// </summary>
internal static class NumpyArchive
{
    private const int MagicBytes = 8, LengthBytes = 2;

    public static Dictionary<string, float[]> Read(string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        return archive.Entries.ToDictionary(entry => Path.GetFileNameWithoutExtension(entry.Name), ReadArray);
    }

    private static float[] ReadArray(ZipArchiveEntry entry)
    {
        using var memory = new MemoryStream();
        using (Stream file = entry.Open())
            file.CopyTo(memory);
        ReadOnlySpan<byte> bytes = memory.GetBuffer().AsSpan(0, (int)memory.Length);
        int headerLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[MagicBytes..]);
        string header = Encoding.ASCII.GetString(bytes.Slice(MagicBytes + LengthBytes, headerLength));
        Assert.Contains("'descr': '<f4'", header, StringComparison.Ordinal);
        Assert.Contains("'fortran_order': False", header, StringComparison.Ordinal);
        return MemoryMarshal.Cast<byte, float>(bytes[(MagicBytes + LengthBytes + headerLength)..]).ToArray();
    }
}
