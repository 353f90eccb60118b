using Kernels.Core.SparseAttention;

namespace Kernels;

/// <summary>What a <see cref="KvCache"/> is made for.</summary>
public readonly record struct KvCacheOptions
{
    internal const int DefaultPageSize = 16;

    /// <summary>The number of key-value heads: from 1 on.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Elements of a head's row: 1 to <see cref="AttentionShape.LargestHeadDimension"/>.</summary>
    public required int HeadDimension { get; init; }

    /// <summary>The number of pages, all sequences together: from 1 on; their tokens are counted in 31 bits.</summary>
    public required int PageCount { get; init; }

    /// <summary>Tokens on a page: a power of two from 1 on; null (the default) for 16.</summary>
    public int? PageSize { get; init; }

    /// <summary>How keys and values are stored; float by default.</summary>
    public KeyValueType Type { get; init; }

    /// <summary>
    /// Keep the keys in eight bits as well, cut into high and low bits, for token selection to score from. Needs pages of at least 16 tokens.
    /// </summary>
    public bool SplitNibbleKeys { get; init; }

    /// <summary>The bytes that a cache of these sizes takes, tables of pages apart.</summary>
    /// <exception cref="OverflowException">They are more than a long counts; a cache of these sizes is refused.</exception>
    public long ByteCount => checked((long)Bytes);

    internal int SlotsPerPage => PageSize ?? DefaultPageSize;

    private Int128 Bytes
    {
        get
        {
            checked
            {
                Int128 rows = (Int128)PageCount * SlotsPerPage * KeyValueHeads;
                Int128 bytes = 2 * rows * HeadDimension * Type.ElementBytes() + (Type == KeyValueType.Int8 ? 2 * rows * sizeof(float) : 0);
                return SplitNibbleKeys ? bytes + rows * (2L * NibbleLayout.StepCount(HeadDimension) * NibbleLayout.LaneBytes + sizeof(float)) : bytes;
            }
        }
    }

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(KeyValueHeads, 1, nameof(KeyValueHeads));
        if (HeadDimension is < 1 or > AttentionShape.LargestHeadDimension)
            throw new ArgumentOutOfRangeException(nameof(HeadDimension), HeadDimension, $"it is not within 1 to {AttentionShape.LargestHeadDimension}");
        if ((long)KeyValueHeads * HeadDimension > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(KeyValueHeads), KeyValueHeads, $"rows of {HeadDimension} elements make a token longer than any array");
        if (PageCount < 1 || PageCount > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(PageCount), PageCount, $"the number of pages is not within 1 to {Array.MaxLength}");
        if (SlotsPerPage < 1 || !int.IsPow2(SlotsPerPage))
            throw new ArgumentOutOfRangeException(nameof(PageSize), PageSize, "a power of two is needed");
        if (!Enum.IsDefined(Type))
            throw new ArgumentOutOfRangeException(nameof(Type), Type, "there is no such type");
        if (SplitNibbleKeys && SlotsPerPage < NibbleLayout.SlotsPerBlock)
            throw new ArgumentOutOfRangeException(nameof(PageSize), PageSize, $"key planes need pages of at least {NibbleLayout.SlotsPerBlock} tokens");
        if ((long)PageCount * SlotsPerPage > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(PageCount), PageCount, $"tokens are counted in 31 bits, and these are pages of {SlotsPerPage}");
        if (Bytes > long.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(PageCount), PageCount, $"{Bytes} bytes are more than any memory holds");
    }
}
