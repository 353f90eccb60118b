using Kernels;

namespace TinyLlama;

/// <summary>
/// Attention of one sequence in all layers: a cache for each, and whatever a kind of sparsity carries from token to token and from layer to layer.
/// </summary>
internal abstract class SequenceAttention : IDisposable
{
    private const int PageSize = 16;

    // Below this a budget is too small for its parts.
    private const int SmallestBudget = 4;

    private readonly KvCache[] _caches;

    protected SequenceAttention(LlamaShape shape, in LlamaOptions options)
    {
        Shape = shape;
        Budget = BudgetOf(shape.ContextLength, options.Keep);
        var cache = new KvCacheOptions
        {
            KeyValueHeads = shape.KvHeadCount,
            HeadDimension = shape.HeadDimension,
            PageSize = PageSize,
            PageCount = (shape.ContextLength + PageSize - 1) / PageSize,
            Type = options.KeyValues,
        };
        _caches = new KvCache[shape.LayerCount];
        for (int layer = 0; layer < _caches.Length; layer++)
            (_caches[layer] = new KvCache(cache)).CreateSequence();
    }

    /// <summary>Whether a token must have passed all layers before the next one comes.</summary>
    public virtual bool IsTokenByToken => false;

    /// <summary>Bytes of keys and values for the whole context.</summary>
    public long CacheBytes => _caches.Sum(cache => cache.ByteCount);

    protected LlamaShape Shape { get; }

    /// <summary>The tokens that are kept.</summary>
    protected int Budget { get; }

    public static SequenceAttention Create(LlamaShape shape, in LlamaOptions options) => options.Attention switch
    {
        AttentionKind.Dense => new DenseAttention(shape, options),
        AttentionKind.SpAtten => new SpAttenAttention(shape, options),
        AttentionKind.BlockSparse => new BlockAttention(shape, options),
        _ => new SelectedAttention(shape, options),
    };

    /// <summary>Appends tokens to a layer's cache and attends to what they may see.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="queries">[tokens, heads, d], turned.</param>
    /// <param name="keys">[tokens, kv heads, d], turned.</param>
    /// <param name="values">[tokens, kv heads, d].</param>
    /// <param name="mixed">Receives [tokens, heads, d].</param>
    public abstract void Attend(int layer, ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> mixed);

    /// <summary>Forgets all tokens.</summary>
    public virtual void Reset()
    {
        foreach (KvCache cache in _caches)
            cache.Keep(0, []);
    }

    public void Dispose()
    {
        foreach (KvCache cache in _caches)
            cache.Dispose();
    }

    protected KvCache Cache(int layer) => _caches[layer];

    protected static int BudgetOf(int count, double keep) => Math.Max(Math.Min(SmallestBudget, count), (int)Math.Ceiling(keep * count));
}

/// <summary>Every token attends to itself and all before it.</summary>
internal sealed class DenseAttention(LlamaShape shape, in LlamaOptions options) : SequenceAttention(shape, options)
{
    public override void Attend(int layer, ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> mixed)
    {
        Cache(layer).Append(0, keys, values);
        SparseAttention.Attend(queries, Cache(layer), [0], mixed, Shape.HeadCount, new() { Causal = true });
    }
}

/// <summary>Token by token, each with the selection of a <see cref="ITokenSelector"/> of its layer.</summary>
internal sealed class SelectedAttention : SequenceAttention
{
    private readonly bool _evicts;
    private readonly ITokenSelector[] _selectors;

    public SelectedAttention(LlamaShape shape, in LlamaOptions options)
        : base(shape, options)
    {
        _evicts = options.Attention == AttentionKind.H2O;
        _selectors = new ITokenSelector[shape.LayerCount];
        Renew();
    }

    public override void Attend(int layer, ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> mixed)
    {
        int width = Shape.Dimension, keyWidth = Shape.KvDimension;
        for (int token = 0; token < queries.Length / width; token++)
        {
            Cache(layer).Append(0, keys.Slice(token * keyWidth, keyWidth), values.Slice(token * keyWidth, keyWidth));
            SparseAttention.Decode(queries.Slice(token * width, width), Cache(layer), 0, mixed.Slice(token * width, width), _selectors[layer]);
            (_selectors[layer] as HeavyHitters)?.Evict(Cache(layer), 0);
        }
    }

    public override void Reset()
    {
        base.Reset();
        Renew();
    }

    // Half the budget, or two quarters, for tokens that are always kept.
    private void Renew()
    {
        int half = Budget / 2, quarter = Budget / 4;
        for (int layer = 0; layer < _selectors.Length; layer++)
            _selectors[layer] = _evicts ? new HeavyHitters(heavyTokens: half, recentTokens: Budget - half)
                : new TokenSelect(new() { SinkTokens = quarter, RecentTokens = quarter, TopK = Budget - 2 * quarter });
    }
}

/// <summary>What one layer prunes all later layers and tokens miss, so a token passes all layers before the next one comes.</summary>
internal sealed class SpAttenAttention : SequenceAttention
{
    private readonly int _heads;
    private readonly SpAttenOptions _options;
    private SpAttenState _state;

    public SpAttenAttention(LlamaShape shape, in LlamaOptions options)
        : base(shape, options)
    {
        _heads = BudgetOf(shape.HeadCount, options.KeepHeads);
        // Of the tokens kept, the same share again is summed.
        _options = new() { KeptValues = BudgetOf(Budget, options.Keep) };
        _state = new SpAttenState(shape.HeadCount, _options);
    }

    public override bool IsTokenByToken => true;

    public override void Attend(int layer, ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> mixed)
    {
        KvCache cache = Cache(layer);
        if (layer == 0)
            _state.AddTokens(cache.TokenCount(0), 1);
        cache.Append(0, keys, values);
        _state.Decode(queries, cache, 0, mixed);
        // Before there is more than the budget, importance has little to go by.
        if (_state.Tokens.Length <= Budget)
            return;
        _state.PruneTokens(Budget, recentTokens: Budget / 2);
        _state.PruneHeads(_heads);
    }

    public override void Reset()
    {
        base.Reset();
        _state = new SpAttenState(Shape.HeadCount, _options);
    }
}

/// <summary>Each query takes its best blocks of keys, planned from the keys as they were before they were rounded for the cache.</summary>
internal sealed class BlockAttention : SequenceAttention
{
    // Blocks at most as long as the published ones, and at least this many in a context.
    private const int LongestBlock = 64, ShortestBlock = 4, FewestBlocks = 32;

    private readonly TopKBlockOptions _plan;
    private readonly AttentionShape _heads;
    private readonly float[][] _keys;

    public BlockAttention(LlamaShape shape, in LlamaOptions options)
        : base(shape, options)
    {
        int length = LongestBlock;
        while (length > ShortestBlock && length * FewestBlocks > shape.ContextLength)
            length /= 2;
        int blocks = (Budget + length - 1) / length;
        // The published proportions: means over half a block, one in each quarter, half of the blocks local.
        _plan = new()
        {
            BlockLength = length,
            CompressedLength = length / 2,
            CompressedStride = length / 4,
            TopK = blocks,
            InitialBlocks = 1,
            LocalBlocks = Math.Max(1, blocks / 2)
        };
        _heads = new(shape.HeadCount, shape.KvHeadCount, shape.HeadDimension);
        if ((long)shape.ContextLength * shape.KvDimension > Array.MaxLength)
            throw new InvalidDataException(
                $"a context of {shape.ContextLength} with {shape.KvDimension} elements of a key exceeds one array: --context cuts it");
        _keys = new float[shape.LayerCount][];
        Array.Fill(_keys, []);
    }

    public override void Attend(int layer, ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> mixed)
    {
        KvCache cache = Cache(layer);
        int before = cache.TokenCount(0) * Shape.KvDimension;
        if (before + keys.Length > _keys[layer].Length)
            Array.Resize(ref _keys[layer],
                (int)Math.Min((long)Shape.ContextLength * Shape.KvDimension, Math.Max(before + keys.Length, 2L * _keys[layer].Length)));
        keys.CopyTo(_keys[layer].AsSpan(before));
        cache.Append(0, keys, values);
        BlockMask mask = SparseAttention.PlanTopKBlocks(queries, _keys[layer].AsSpan(0, cache.TokenCount(0) * Shape.KvDimension), _heads, _plan);
        SparseAttention.Attend(queries, cache, [0], mixed, Shape.HeadCount, new() { Causal = true, BlockMask = mask });
    }
}
