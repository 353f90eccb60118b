namespace Kernels;

/// <summary>What a <see cref="KvCache"/> is made for.</summary>
public readonly record struct KvCacheOptions
{
    private readonly int _pageSize;

    /// <summary>The number of key-value heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Elements of a head's row.</summary>
    public required int HeadDimension { get; init; }

    /// <summary>The number of pages, all sequences together.</summary>
    public required int PageCount { get; init; }

    /// <summary>Tokens on a page: a power of two from 1 on; 16 by default.</summary>
    public int PageSize
    {
        get => _pageSize == 0 ? DefaultPageSize : _pageSize;
        init => _pageSize = value == 0 ? -1 : value;
    }

    /// <summary>How keys and values are stored; float by default.</summary>
    public KeyValueType Type { get; init; }

    /// <summary>
    /// Keep the keys in eight bits as well, cut into high and low bits, for token selection to score from. Needs pages of at least 16 tokens.
    /// </summary>
    public bool KeyPlanes { get; init; }

    internal const int DefaultPageSize = 16;

    /// <summary>The bytes that a cache of these sizes takes, tables of pages apart.</summary>
    public long ByteCount
    {
        get
        {
            long rows = (long)PageCount * PageSize * KeyValueHeads;
            long bytes = 2 * rows * HeadDimension * Type.ElementBytes() + (Type == KeyValueType.Int8 ? 2 * rows * sizeof(float) : 0);
            return KeyPlanes ? bytes + rows * (2L * KeyPlaneLayout.StepCount(HeadDimension) * KeyPlaneLayout.LaneBytes + sizeof(float)) : bytes;
        }
    }

    internal void Check(string name)
    {
        new AttentionShape(KeyValueHeads, KeyValueHeads, HeadDimension).Check(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(PageCount, 1, nameof(PageCount));
        if (PageSize < 1 || !int.IsPow2(PageSize))
            throw new ArgumentOutOfRangeException(nameof(PageSize), PageSize, "a power of two is needed");
        if (!Enum.IsDefined(Type))
            throw new ArgumentOutOfRangeException(nameof(Type), Type, "there is no such type");
        if (KeyPlanes && PageSize < KeyPlaneLayout.SlotsPerBlock)
            throw new ArgumentOutOfRangeException(nameof(PageSize), PageSize, $"key planes need pages of at least {KeyPlaneLayout.SlotsPerBlock} tokens");
        if ((long)PageCount * PageSize > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(PageCount), PageCount, "tokens are counted in 31 bits");
    }
}
