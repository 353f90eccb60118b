namespace Kernels.Perf;

/// <summary>Attention in the verbs: which shapes, which rivals.</summary>
internal sealed class AttentionFamily : IFamilyBench
{
    // Llama 3 8B's heads; GPT-2's head dimension.
    private static readonly AttentionShape s_grouped = new(32, 8, 128), s_prefill = new(8, 8, 64);

    private const int LongDecode = 131072;

    // torch keeps all scores of a prefill, and takes seconds for longer ones.
    private const int LongestRivalDecode = 32768, LongestRivalPrefill = 4096;

    private readonly TorchAttention _torch = new();
    private AttentionData? _data;

    public string Family => AttentionContenders.Family;

    public IReadOnlyList<string> Names => [Family, "attention"];

    public IReadOnlyList<RivalStatus> Rivals => [_torch.Status];

    public IEnumerable<WorkloadPlan> Showcase() =>
        Plans([Decode(AttentionWork.Decode, 16384), Decode(AttentionWork.DecodeReused, 16384), Decode(AttentionWork.DecodeSelected, 16384),
        Prefill(AttentionWork.Prefill, 2048), Prefill(AttentionWork.BlockSparsePrefill, 4096)], ThreadCounts.OneAndAll, null);

    /// <summary>None: a file of logits holds no keys and values.</summary>
    public IEnumerable<WorkloadPlan> FromFile(string path) => [];

    // Selections and blocks stand beside the dense form of the same shape.
    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) => Plans(
        [
            .. quick ? [] : new[] { Decode(AttentionWork.Decode, 4096) },
            Decode(AttentionWork.Decode, LongestRivalDecode),
            Decode(AttentionWork.Decode, LongDecode), Decode(AttentionWork.DecodeReused, LongDecode), Decode(AttentionWork.DecodeSelected, LongDecode),
            Prefill(AttentionWork.Prefill, 2048),
            .. quick ? [] : new[] { Prefill(AttentionWork.Prefill, LongestRivalPrefill) },
            Prefill(AttentionWork.Prefill, 8192), Prefill(AttentionWork.BlockSparsePrefill, 8192),
        ],
        threadCounts, _torch.Status.AbsentReason is null ? _torch : null);

    private static AttentionCase Decode(AttentionWork work, int keys) => new(work, keys, s_grouped, KeyValueType.Float16);

    private static AttentionCase Prefill(AttentionWork work, int keys) => new(work, keys, s_prefill, KeyValueType.Float32);

    private static bool HasRival(AttentionCase one) =>
        (one.Work == AttentionWork.Decode && one.KeyCount <= LongestRivalDecode) || (one.Work == AttentionWork.Prefill && one.KeyCount <= LongestRivalPrefill);

    private IEnumerable<WorkloadPlan> Plans(AttentionCase[] cases, IReadOnlyList<int> threadCounts, TorchAttention? rival) =>
        cases.Select(one => new WorkloadPlan(one.Name, () => new AttentionWorkload(one, DataOf(one), threadCounts, HasRival(one) ? rival : null)));

    // Cases of the same numbers follow one another.
    private AttentionData DataOf(AttentionCase one)
    {
        if (_data is null || !_data.Suits(one))
        {
            _data?.Dispose();
            _data = new AttentionData(one);
        }
        return _data;
    }
}
