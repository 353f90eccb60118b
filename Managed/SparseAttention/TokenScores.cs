using Kernels.Core.SparseAttention;
using Kernels.Cpu.Memory;
using Kernels.Cpu.SparseAttention;

namespace Kernels.Managed;

/// <summary>Probabilities of one query over tokens of a sequence of a cache, and what selectors make of them, in rented memory.</summary>
internal readonly unsafe ref struct TokenScores : IDisposable
{
    private readonly KvCache _cache;
    private readonly int _sequence;
    private readonly ReadOnlySpan<float> _queries;
    private readonly float _scale;
    private readonly int _stride, _tokens, _heads;
    private readonly RentedScratch _scratch;
    private readonly float* _probabilities, _votes;
    private readonly ReadOnlySpan<int> _positions;

    public TokenScores(KvCache cache, int sequence, ReadOnlySpan<float> queries, float scale, bool withVotes, ReadOnlySpan<int> positions = default)
    {
        _cache = cache;
        _sequence = sequence;
        _queries = queries;
        _scale = scale;
        _positions = positions;
        _heads = queries.Length / cache.Options.HeadDimension;
        _tokens = positions.IsEmpty ? cache.TokenCount(sequence) : positions.Length;
        _stride = AttentionTuning.RowStride(_tokens);
        // Votes need the terms of two groups of heads at a time.
        long terms = (withVotes ? 2L * (_heads / cache.Options.KeyValueHeads) : _heads) * _stride;
        var scratch = new RentedScratch(RentedScratch.Bytes<float>(terms) + RentedScratch.Bytes<float>(withVotes ? _tokens : 0));
        _probabilities = scratch.Take<float>(terms);
        _votes = withVotes ? scratch.Take<float>(_tokens) : null;
        _scratch = scratch;
    }

    public int TokenCount => _tokens;

    public Span<float> Row(int head) => new(_probabilities + (long)head * _stride, _tokens);

    public void Run(KeyPrecision precision, in KernelOptions options) => Call(precision, default, options, weigh: false);

    /// <summary>output = probabilities times values.</summary>
    public void Weigh(Span<float> output, in KernelOptions options) => Call(KeyPrecision.Stored, output, options, weigh: true);

    /// <summary>The votes of all heads together.</summary>
    public Span<float> Votes => new(_votes, _votes == null ? 0 : _tokens);

    public void Dispose() => _scratch.Dispose();

    private void Call(KeyPrecision precision, Span<float> output, in KernelOptions options, bool weigh)
    {
        if (precision != KeyPrecision.Stored && !_cache.Options.SplitNibbleKeys)
            throw new ArgumentException("the cache has no planes of its keys' bits", "cache");
        ISparseAttentionBackend backend = SparseAttentionVariants.Of(_cache.Options.Type).Select(options);
        KvSequence sequence = _cache.Find(_sequence);
        fixed (float* queries = _queries, to = output)
        fixed (int* table = sequence.Table, positions = _positions)
        {
            var described = new AttentionSequence
            {
                QueryCount = 1,
                KeyCount = _tokens,
                Length = sequence.TokenCount,
                PageTable = table,
                Positions = _positions.IsEmpty ? null : positions,
            };
            var call = new AttentionScoreCall
            {
                Attention = new AttentionCall
                {
                    Shape = new AttentionShape(_heads, _cache.Options.KeyValueHeads, _cache.Options.HeadDimension),
                    Queries = queries,
                    Output = to,
                    Source = _cache.Pages.Rows,
                    Planes = _cache.Pages.Planes,
                    Sequences = &described,
                    SequenceCount = 1,
                    Scale = _scale,
                },
                Precision = precision,
                Probabilities = _probabilities,
                Stride = _stride,
                Votes = _votes,
            };
            if (weigh)
                backend.Weigh(call, options);
            else
                backend.Score(call, options);
        }
        GC.KeepAlive(_cache);
    }
}
