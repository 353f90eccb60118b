namespace TinyLlama;

/// <summary>Files of other programs that are handed to this one by mistake, known by how they begin.</summary>
internal static class ForeignFile
{
    // Begin of the file, and what it is.
    private static readonly (byte[] Begin, string Kind)[] s_kinds =
    [
        ("GGUF"u8.ToArray(), "this is a GGUF file"),
        ("ggml"u8.ToArray(), "this is a ggml file"),
        ("lmgg"u8.ToArray(), "this is a ggml file"),
        ([(byte)'P', (byte)'K', 3, 4], "this is a zip archive, as PyTorch writes .pth and .bin files"),
        ([0x80, 2], "this is a Python pickle, as PyTorch wrote .pth and .bin files"),
        ("version https://git-lfs"u8.ToArray(), "this is a git-lfs pointer: the file itself was not downloaded"),
        ("<!DOCTYPE"u8.ToArray(), "this is a web page"),
        ("<html"u8.ToArray(), "this is a web page"),
        ([0x93, .. "NUMPY"u8], "this is a NumPy file"),
        ([0x89, .. "HDF"u8], "this is an HDF5 file"),
        ([0x1f, 0x8b], "this is a gzip archive"),
    ];

    /// <summary>What a file is; null if it is none of those that are known.</summary>
    public static string? Describe(ReadOnlySpan<byte> begin)
    {
        foreach ((byte[] mark, string kind) in s_kinds)
        {
            if (begin.StartsWith(mark))
                return kind;
        }
        // The length of a header in eight bytes, then its JSON.
        if (begin.Length > sizeof(ulong) && BitConverter.ToUInt32(begin[sizeof(uint)..]) == 0 && begin[sizeof(ulong)] == '{')
            return "this is a safetensors file, whose name must end in .safetensors";
        // ModelProto begins with ir_version (field 1, a small number), then names its producer (field 2, text).
        return begin is [0x08, < 0x20, 0x12, ..] ? "this is an ONNX file" : null;
    }
}
