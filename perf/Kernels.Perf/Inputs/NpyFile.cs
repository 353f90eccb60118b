using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>
/// NumPy's format: the magic bytes, a version (2 bytes), the length of the header (2 bytes little-endian in version 1, 4 in versions 2 and 3), the header, a
/// Python dictionary with descr, fortran_order and shape, and the elements.
/// </summary>
internal static partial class NpyFile
{
    private const int VersionOffset = 6, LengthOffset = 8;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    public static InputTensor Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (file.Length < LengthOffset + sizeof(uint) || !file.AsSpan().StartsWith(Magic))
            throw new InputFormatException(path, "this is not a NumPy file");
        bool isVersion1 = file[VersionOffset] == 1;
        long headerLength = isVersion1 ? BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(LengthOffset)) : BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(LengthOffset));
        int headerStart = LengthOffset + (isVersion1 ? sizeof(ushort) : sizeof(uint));
        if (headerStart + headerLength > file.Length)
            throw new InputFormatException(path, $"the header of {headerLength} bytes exceeds the file");
        Match header = Header().Match(Encoding.UTF8.GetString(file, headerStart, (int)headerLength));
        if (!header.Success)
            throw new InputFormatException(path, "the header has not the keys descr, fortran_order and shape of a plain array");
        if (header.Groups["fortran"].Value == "True")
            throw new InputFormatException(path, "the array is in Fortran order; save numpy.ascontiguousarray of it");
        return Tensor(path, header, file.AsSpan(headerStart + (int)headerLength));
    }

    private static InputTensor Tensor(string path, Match header, ReadOnlySpan<byte> elements)
    {
        string type = header.Groups["type"].Value, name = Path.GetFileName(path);
        int[] dimensions = [.. header.Groups["dimension"].Captures.Select(digits => int.Parse(digits.ValueSpan, CultureInfo.InvariantCulture))];
        int elementBytes = type switch
        {
            "<f2" => 2,
            "<f4" => 4,
            "<f8" => 8,
            _ => throw new InputFormatException(path, $"elements of type '{type}' are none of <f2, <f4 and <f8"),
        };
        long expected = (long)InputFile.ElementCount(path, name, dimensions) * elementBytes;
        if (elements.Length != expected)
            throw new InputFormatException(path, $"{elements.Length} bytes follow the header, but [{string.Join(", ", dimensions)}] of {type} takes {expected}");
        return new InputTensor(name, dimensions, elementBytes switch
        {
            2 => InputFile.Values<Half>(elements),
            4 => InputFile.Values<float>(elements),
            _ => InputFile.Values<double>(elements),
        });
    }

    [GeneratedRegex(@"^\{\s*'descr':\s*'(?<type>[^']*)',\s*'fortran_order':\s*(?<fortran>True|False),\s*'shape':\s*\((?:(?<dimension>\d{1,9})\s*,?\s*)*\),?\s*\}\s*$")]
    private static partial Regex Header();
}
