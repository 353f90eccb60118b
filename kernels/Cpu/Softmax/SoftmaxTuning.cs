namespace Kernels.Cpu.Softmax;

/// <summary>Every size that steers the softmax driver, and what it was derived from or measured by (docs/families/softmax.md has the tables).</summary>
internal static class SoftmaxTuning
{
    /// <summary>Elements handled at a time: 8 KiB of floats, which stay in level 1 between the steps that handle them.</summary>
    public const int BlockLength = 2048;

    /// <summary>
    /// Bytes of the scratch, on the stack, for the numerators of a short row: half of the smallest level 1 cache in use; the rest is for the row itself.
    /// </summary>
    public const int ScratchBytes = 16 * 1024;

    /// <summary>Bytes of logits that a tile of columns may span, so that the sweeps after the first find it in level 2.</summary>
    public static long ColumnTileBytes { get; } = MachineInfo.Current.Level2Bytes / 2;

    /// <summary>Rows up to this length are transposed and done as columns: measured faster by factors. Longer ones fill half a register of any width.</summary>
    public const int PackedLength = 8;

    /// <summary>Columns handled side by side when the axis is not the last.</summary>
    public const int ColumnTileLength = 256;

    /// <summary>
    /// Outputs from this size on are written past the caches: an eighth of the last level, of which input, output and the machine's other tenants all want a
    /// share.
    /// </summary>
    public static long StreamedOutputBytes { get; } = MachineInfo.Current.Level3Bytes / 8;
}
