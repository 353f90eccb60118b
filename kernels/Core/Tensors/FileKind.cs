namespace Kernels.Core.Tensors;

/// <summary>Names files that stand, now and then, where a tensor file is expected: a downloaded page or pointer in the place of the weights.</summary>
internal static class FileKind
{
    /// <summary>What the first bytes of a file say that it is; null if nothing known.</summary>
    public static string? Name(ReadOnlySpan<byte> head) =>
        head.StartsWith("version https://git-lfs"u8) ? "this is a git-lfs pointer: the file itself was not downloaded"
        : head.StartsWith("<"u8) ? "this is a page of HTML or XML: what was downloaded is not the file"
        : head.StartsWith("PK"u8) ? "this is a zip archive (.npz, or weights that torch.save wrote)"
        : head.StartsWith("GGUF"u8) ? "this is a GGUF file"
        : null;
}
