namespace Kernels;

/// <summary>The heads of an attention layer: query head h reads key-value head h / (QueryHeads / KeyValueHeads), as in torch and FlashAttention.</summary>
/// <param name="QueryHeads">The number of query heads, a multiple of <paramref name="KeyValueHeads"/>.</param>
/// <param name="KeyValueHeads">The number of key-value heads: all of them for MHA, fewer for GQA, 1 for MQA.</param>
/// <param name="HeadDimension">Elements of a head's query, key and value rows: 1 to <see cref="LargestHeadDimension"/>.</param>
public readonly record struct AttentionShape(int QueryHeads, int KeyValueHeads, int HeadDimension)
{
    /// <summary>The largest head dimension: a tile of 64 rows of it and of its results, 256 KiB, still fits level 2.</summary>
    public const int LargestHeadDimension = 512;

    /// <summary>The number of query heads that share a key-value head.</summary>
    public int GroupSize => QueryHeads / KeyValueHeads;

    internal long QueryRowLength => (long)QueryHeads * HeadDimension;

    internal long KeyRowLength => (long)KeyValueHeads * HeadDimension;

    internal void Check(string name)
    {
        if (QueryHeads < 1 || KeyValueHeads < 1 || QueryHeads % KeyValueHeads != 0)
            throw new ArgumentException($"{QueryHeads} query heads are no multiple of {KeyValueHeads} key-value heads", name);
        if (HeadDimension is < 1 or > LargestHeadDimension)
            throw new ArgumentOutOfRangeException(name, HeadDimension, $"the head dimension is not within 1 to {LargestHeadDimension}");
    }
}
