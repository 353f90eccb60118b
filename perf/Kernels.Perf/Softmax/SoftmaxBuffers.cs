namespace Kernels.Perf;

/// <summary>The inputs and outputs of a case: several pairs with the same logits, so that calls in turn find none of them in cache.</summary>
internal sealed class SoftmaxBuffers<T> : IDisposable where T : unmanaged
{
    private const ulong Seed = 20010443;

    // With four times the last-level cache in turn, nothing of a buffer is left in it when its turn comes again.
    private const long CacheMultiple = 4;

    private readonly NativeBuffer<T>[] _inputs;
    private readonly NativeBuffer<T>[] _outputs;

    /// <param name="softmaxCase">The shape.</param>
    /// <param name="logits">The logits, or empty for generated ones.</param>
    public unsafe SoftmaxBuffers(SoftmaxCase softmaxCase, ReadOnlySpan<T> logits)
    {
        Case = softmaxCase;
        long pairBytes = 2L * sizeof(T) * softmaxCase.ElementCount, cache = MachineInfo.Current.Level3Bytes;
        Count = softmaxCase.ExceedsCache ? (int)Math.Max(1, (CacheMultiple * cache + pairBytes - 1) / pairBytes) : 1;
        InCache = Count * pairBytes <= cache;
        _inputs = [.. Enumerable.Range(0, Count).Select(_ => new NativeBuffer<T>(softmaxCase.ElementCount))];
        _outputs = [.. Enumerable.Range(0, Count).Select(_ => new NativeBuffer<T>(softmaxCase.ElementCount))];
        if (logits.IsEmpty)
            LogitGenerator.Fill(_inputs[0].Span, Seed);
        else
            logits.CopyTo(_inputs[0].Span);
        foreach (NativeBuffer<T> copy in _inputs.AsSpan(1))
            _inputs[0].Span.CopyTo(copy.Span);
    }

    public SoftmaxCase Case { get; }

    public int Count { get; }

    public bool InCache { get; }

    public NativeBuffer<T> Input(int buffer) => _inputs[buffer];

    public NativeBuffer<T> Output(int buffer) => _outputs[buffer];

    public void Dispose()
    {
        foreach (NativeBuffer<T> buffer in _inputs.Concat(_outputs))
            buffer.Dispose();
    }
}
