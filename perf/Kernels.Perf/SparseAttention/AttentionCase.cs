namespace Kernels.Perf;

/// <summary>What is asked of a case.</summary>
internal enum AttentionWork
{
    /// <summary>One query of a sequence over all its keys.</summary>
    Decode,

    /// <summary>One query over tokens selected before, for a query that is near enough.</summary>
    DecodeReused,

    /// <summary>One query over tokens selected for it.</summary>
    DecodeSelected,

    /// <summary>As many queries as keys, causal.</summary>
    Prefill,

    /// <summary>The same with a mask of blocks.</summary>
    BlockSparsePrefill,
}

/// <summary>Attention of one sequence; decoding over a paged cache, prefill over arrays.</summary>
internal sealed record AttentionCase(AttentionWork Work, int KeyCount, AttentionShape Shape, KeyValueType Type)
{
    /// <summary>Blocks of 64 x 64 of each row that a mask takes, of those that are causal: a tenth.</summary>
    public const double BlockDensity = 0.1;

    public const int BlockLength = 64;

    public string Name => $"{Title}, {KeyCount} keys, {Shape.QueryHeads} on {Shape.KeyValueHeads} heads, d {Shape.HeadDimension}, {TypeName}";

    public bool IsDecode => Work is AttentionWork.Decode or AttentionWork.DecodeReused or AttentionWork.DecodeSelected;

    public int QueryCount => IsDecode ? 1 : KeyCount;

    /// <summary>The tokens that the published sizes take: 128 initial, 2048 selected, 512 local.</summary>
    public const int SelectedTokens = TokenSelectOptions.DefaultSinkTokens + TokenSelectOptions.DefaultTopK + TokenSelectOptions.DefaultRecentTokens;

    /// <summary>Bytes of keys and values that must be read.</summary>
    public double Bytes
    {
        get
        {
            return Work switch
            {
                AttentionWork.DecodeReused => SelectedBytes,
                // High bits of all keys: half a byte an element, and a scale for each row.
                AttentionWork.DecodeSelected => SelectedBytes + KeyCount * (RowLength / 2 + Shape.KeyValueHeads * sizeof(float)),
                _ => 2 * RowLength * ElementBytes * KeyCount,
            };
        }
    }

    /// <summary>Bytes of the keys and values of as many tokens as are selected.</summary>
    public double SelectedBytes => 2 * RowLength * ElementBytes * SelectedTokens;

    /// <summary>
    /// Multiplications and additions of queries with keys and of probabilities with values, for the pairs of a query with keys up to its own.
    /// </summary>
    public double Operations(double density) =>
        4.0 * Shape.QueryHeads * Shape.HeadDimension * (IsDecode ? KeyCount : density * KeyCount * (KeyCount + 1.0) / 2);

    private double RowLength => (double)Shape.KeyValueHeads * Shape.HeadDimension;

    private int ElementBytes => Type switch { KeyValueType.Float32 => 4, KeyValueType.Int8 => 1, _ => 2 };

    private string TypeName => Type switch { KeyValueType.Float32 => "f32", KeyValueType.Float16 => "f16", KeyValueType.BFloat16 => "bf16", _ => "i8" };

    private string Title => Work switch
    {
        AttentionWork.Decode => "decode",
        AttentionWork.DecodeReused => "decode, selection reused",
        AttentionWork.DecodeSelected => "decode, selected from high bits",
        AttentionWork.Prefill => "causal prefill",
        _ => "block-sparse prefill",
    };
}
