using Kernels.Core.Elements;

namespace Kernels.Perf;

/// <summary>Softmax in the verbs: which shapes, which element types, which rivals.</summary>
internal sealed class SoftmaxFamily : IFamilyBench
{
    private const int Mebi = 1 << 20;

    // Llama 3: vocabulary 128256, 32 heads of dimension 128; a chunk of 32 queries on 1024 keys.
    private static readonly SoftmaxCase[] s_modelShapes =
    [
        new("next-token logits, 32 x 128256", 32, 128256) { ExceedsCache = true },
        new("causal attention, 32 heads x 32 x 1024", 32 * 32, 1024) { Scale = 1 / Math.Sqrt(128), CausalQueryCount = 32 },
    ];

    private static readonly SoftmaxCase[] s_rivalShapes =
    [
        new("1M x 3", Mebi, 3) { ExceedsCache = true },
        new("128 x 1000", 128, 1000),
        new("4096 x 512", 4096, 512),
        new("32 x 128256", 32, 128256) { ExceedsCache = true },
        new("1 x 16M", 1, 16 * Mebi) { ExceedsCache = true },
        new("64 x 1M", 64, Mebi) { ExceedsCache = true },
    ];

    private readonly ISoftmaxRival[] _rivals = [new XnnPackSoftmax(), new OneDnnSoftmax(), new TensorPrimitivesSoftmax(), new TorchSoftmax()];

    public string Family => SoftmaxContenders.Family;

    public IReadOnlyList<RivalStatus> Rivals => [.. _rivals.Select(rival => rival.Status)];

    public IEnumerable<WorkloadPlan> Showcase() =>
        s_modelShapes.SelectMany(shape => (WorkloadPlan[])[Plan<float>(shape), Plan<double>(shape), Plan<Half>(shape), Plan<BrainFloat16>(shape)]);

    public IEnumerable<WorkloadPlan> FromFile(string path) => SoftmaxInput.Read(path).Select(Plan);

    public IEnumerable<WorkloadPlan> Compare(IReadOnlyList<int> threadCounts, bool quick) => s_rivalShapes.Select(shape => new WorkloadPlan(shape.Name, () =>
        new SoftmaxWorkload<float>(shape, [], null, (buffers, oracle) => SoftmaxContenders.Ours(buffers, oracle, threadCounts)
        .Concat(Opened(buffers, oracle, threadCounts)))));

    private static WorkloadPlan Plan<T>(SoftmaxCase shape) where T : unmanaged => Plan<T>($"{shape.Name}, {TypeName.Of<T>()}", shape, [], null);

    private static WorkloadPlan Plan(SoftmaxInput input)
    {
        var shape = new SoftmaxCase(input.Name, input.Logits.Length / input.RowLength, input.RowLength);
        return input.Logits switch
        {
            float[] logits => Plan(input.Name, shape, logits, input.Recorded),
            double[] logits => Plan(input.Name, shape, logits, input.Recorded),
            Half[] logits => Plan(input.Name, shape, logits, input.Recorded),
            BrainFloat16[] logits => Plan(input.Name, shape, logits, input.Recorded),
            _ => throw new InvalidOperationException($"readers give no {input.Logits.GetType()}"),
        };
    }

    private static WorkloadPlan Plan<T>(string name, SoftmaxCase shape, T[] logits, double[]? recorded) where T : unmanaged =>
        new(name, () => new SoftmaxWorkload<T>(shape, logits, recorded, (buffers, oracle) => SoftmaxContenders.Ours(buffers, oracle, ThreadCounts.OneAndAll)));

    private IEnumerable<IContender> Opened(SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, IReadOnlyList<int> threadCounts) =>
        from threads in threadCounts
        from rival in _rivals
        where rival.Status.AbsentReason is null && (threads == 1 || rival.UsesThreads)
        select rival.Open(buffers, oracle, threads);
}
