namespace Kernels.Perf;

/// <summary>A case with its oracle and its contenders, over data that others may share.</summary>
internal sealed class AttentionWorkload : IWorkload
{
    private const int MaskSeed = 7;

    private readonly AttentionCase _case;
    private readonly double _density;

    public AttentionWorkload(AttentionCase attention, AttentionData data, IReadOnlyList<int> threadCounts, TorchAttention? rival)
    {
        _case = attention;
        BlockMask? mask = attention.Work == AttentionWork.BlockSparsePrefill ? RandomBlocks(attention.KeyCount) : null;
        int blocks = attention.KeyCount / AttentionCase.BlockLength;
        _density = mask is null ? 1 : mask.BlockCount / (blocks * (blocks + 1) / 2.0);
        Contenders = [.. AttentionContenders.Ours(attention.Work, data, mask, threadCounts), .. rival is null ? []
            : threadCounts.Select(threads => rival.Open(data, threads))];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => _case.IsDecode ? _case.Bytes : _case.Operations(_density);

    public string Unit => _case.IsDecode ? "GB/s" : "GFLOP/s";

    public IReadOnlyList<RoofKind> Roofs => _case.IsDecode ? [RoofKind.Read] : [RoofKind.MultiplyAdd];

    public RecordedComparison? Recorded => null;

    public double RoofSeconds(RoofSamples roofs, int threads) => WorkPerCall / roofs.PerSecond(Roofs[0], threads);

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
    }

    // The diagonal block of each row, and others before it drawn at random, a tenth in all.
    private static BlockMask RandomBlocks(int keys)
    {
        var shape = new BlockMaskShape(keys, keys, AttentionCase.BlockLength, AttentionCase.BlockLength);
        var random = new Random(MaskSeed);
        List<int> offsets = [0], columns = [];
        for (int row = 0; row < shape.RowBlockCount; row++)
        {
            int wanted = Math.Max(1, (int)Math.Round(AttentionCase.BlockDensity * (row + 1)));
            int[] others = [.. Enumerable.Range(0, row)];
            random.Shuffle(others);
            columns.AddRange([.. others.Take(wanted - 1).Order(), row]);
            offsets.Add(columns.Count);
        }
        return BlockMask.FromCsr(shape, offsets.ToArray(), columns.ToArray());
    }
}
