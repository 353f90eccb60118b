namespace Kernels.Core.SparseAttention;

/// <summary>Where rows of keys and values stand: one array [tokens, heads, d], or pages [heads, slots, d] found by a sequence's table.</summary>
internal unsafe struct KeyValueRows
{
    public byte* Keys;
    public byte* Values;

    /// <summary>One for each row; null unless the rows are bytes.</summary>
    public float* KeyScales;
    public float* ValueScales;

    /// <summary>In elements; the scales' places are these divided by the row length.</summary>
    public long PageStride;
    public long HeadStride;
    public long TokenStride;
    public int PageShift;
    public int ElementBytes;
    public int HeadDimension;

    /// <summary>Whether all elements are known to be finite.</summary>
    public bool IsFinite;

    /// <summary>The number of the first element of a token's row.</summary>
    public readonly long Element(in AttentionSequence sequence, int head, int index)
    {
        int token = sequence.Positions == null ? index : sequence.Positions[index];
        if (sequence.PageTable == null)
            return (token < sequence.PrefixCount ? token : sequence.KeyBegin + token - sequence.PrefixCount) * TokenStride + head * HeadStride;
        return sequence.PageTable[token >> PageShift] * PageStride + head * HeadStride + (token & SlotMask) * TokenStride;
    }

    /// <summary>
    /// How many rows of a head, this one included, follow one another at <see cref="TokenStride"/>: at least 1, and no more than <paramref name="most"/>.
    /// </summary>
    public readonly int Run(in AttentionSequence sequence, int index, int most)
    {
        if (sequence.Positions != null)
            return 1;
        if (sequence.PageTable == null)
            return index < sequence.PrefixCount ? Math.Min(most, sequence.PrefixCount - index) : most;
        return Math.Min(most, SlotMask + 1 - (index & SlotMask));
    }

    private readonly int SlotMask => (1 << PageShift) - 1;
}

/// <summary>The high and low halves of keys in eight bits: see <see cref="NibbleLayout"/>.</summary>
internal unsafe struct NibbleRows
{
    public byte* High;
    public byte* Low;
    public float* Scales;
}

/// <summary>One sequence of a call.</summary>
internal unsafe struct AttentionSequence
{
    public int QueryBegin;
    public int QueryCount;

    /// <summary>The first key that is its own; the first <see cref="PrefixCount"/> keys come from the start of the array.</summary>
    public int KeyBegin;
    public int PrefixCount;

    /// <summary>The keys to attend to.</summary>
    public int KeyCount;

    /// <summary>The keys there are: positions are counted up to here. Differs from <see cref="KeyCount"/> where <see cref="Positions"/> selects.</summary>
    public int Length;

    /// <summary>Pages in order, or null.</summary>
    public int* PageTable;

    /// <summary>The selected positions, ascending, or null for all.</summary>
    public int* Positions;

    /// <summary>The position of a query.</summary>
    public readonly long PositionOf(int query) => (long)query + Length - QueryCount;
}

/// <summary>What a backend sees of a checked call, at pinned addresses. Queries, outputs [M, query heads, d].</summary>
internal unsafe struct AttentionCall
{
    public AttentionShape Shape;
    public float* Queries;

    /// <summary>Null where sums alone are asked for; there are no values then.</summary>
    public float* Output;
    public KeyValueRows Source;
    public NibbleRows Planes;
    public AttentionSequence* Sequences;
    public int SequenceCount;
    public float Scale;
    public float SoftCap;
    public bool Causal;
    public int Window;
    public int SinkTokens;
    public float* AlibiSlopes;
    public float* AdditiveMask;
    public bool* BooleanMask;

    /// <summary>Elements from one query head's mask to the next; 0 for one mask for all.</summary>
    public long AdditiveHeadStride;
    public long BooleanHeadStride;
    public BlockMaskRows Blocks;

    /// <summary>[M, query heads] or null.</summary>
    public float* LogSumExp;

    /// <summary>[query heads, keys] or null.</summary>
    public float* ColumnSums;
    public long ColumnSumStride;

    /// <summary>
    /// [query heads, <see cref="ColumnSumStride"/>] or null: sums of probabilities by the distance from key to query, of one sequence of at most 64 queries and
    /// with column sums.
    /// </summary>
    public float* DiagonalSums;
}

/// <summary>The gradient of an attention call: <see cref="AttentionCall.Output"/> and <see cref="AttentionCall.LogSumExp"/> are the forward call's.</summary>
internal unsafe struct AttentionGradientCall
{
    public AttentionCall Forward;
    public float* OutputGradient;
    public float* QueryGradient;

    /// <summary>[N, key-value heads, d], as the values' gradient.</summary>
    public float* KeyGradient;
    public float* ValueGradient;
}

/// <summary>Which bits of the keys scores are computed from.</summary>
internal enum KeyPrecision
{
    /// <summary>The keys as they are stored.</summary>
    Stored,

    /// <summary>The upper four of eight bits.</summary>
    HighNibbles,

    /// <summary>All eight bits.</summary>
    AllBits,
}

/// <summary>Probabilities of single queries over all keys of one sequence, and what is made of them.</summary>
internal unsafe struct AttentionScoreCall
{
    public AttentionCall Attention;
    public KeyPrecision Precision;

    /// <summary>
    /// [query heads, <see cref="Stride"/>], Stride a multiple of the tile and not less than the number of keys; what lies beyond the keys is scratch. With
    /// votes all of it is: [2 groups, Stride].
    /// </summary>
    public float* Probabilities;
    public long Stride;

    /// <summary>[keys] or null: if given, sums of the probabilities over all heads, which themselves are not kept.</summary>
    public float* Votes;
}

/// <summary>One implementation of the family for one type of keys and values. Arguments were checked at the door and are pinned for the call.</summary>
internal interface ISparseAttentionBackend
{
    void Attend(in AttentionCall call, in KernelOptions options);

    void Backward(in AttentionGradientCall call, in KernelOptions options);

    /// <summary>Probabilities of one query a head.</summary>
    void Score(in AttentionScoreCall call, in KernelOptions options);

    /// <summary>Output = probabilities times values, leaving out those that are 0.</summary>
    void Weigh(in AttentionScoreCall call, in KernelOptions options);

    /// <summary>The best blocks of keys for each query and key-value head.</summary>
    void PlanBlocks(in BlockPlanCall call, in KernelOptions options);
}
