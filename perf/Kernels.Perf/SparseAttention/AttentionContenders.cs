namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue.</summary>
internal static class AttentionContenders
{
    public const string Family = "sparse_attention";

    // Sums of 131,072 terms in float, of the largest result.
    private const double Tolerance = 1e-4;

    /// <summary>Every SIMD variant that this machine can run, on one thread, and after them the default one on each other number of threads.</summary>
    public static IEnumerable<IContender> Ours(AttentionWork work, AttentionData data, BlockMask? mask, IReadOnlyList<int> threadCounts)
    {
        string types = data.Case.Type == KeyValueType.Float32 ? "f32" : data.Case.Type == KeyValueType.Float16 ? "f32_f16_f32" : "f32_i8_f32";
        KernelDispatch dispatch = KernelInfo.Catalogue.Single(d => d.Chosen.Family == Family && d.Chosen.Types == types);
        IEnumerable<KernelVariant> runnable = dispatch.Variants.Where(variant =>
            variant is { Availability: VariantAvailability.Available, Implementation: "avx512" or "avx2" or "advsimd" });
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 ? runnable : [dispatch.Chosen])
            {
                var kernel = new KernelOptions { Variant = variant.Identity, MaxDegreeOfParallelism = threads };
                yield return data.Case.IsDecode ? Decoder(work, data, kernel) : Prefiller(data, mask, kernel);
            }
        }
    }

    private static CallContender Prefiller(AttentionData data, BlockMask? mask, KernelOptions kernel)
    {
        var oracle = new AttentionOracle(data, mask, null);
        return new CallContender(kernel.Variant!, kernel.MaxDegreeOfParallelism, 1, Tolerance, _ => Prefill(data, mask, kernel), oracle.LargestError);
    }

    // Each buffer has a selector of its own; where selections are reused, a query of its own as well, so that it reads other tokens than the one before.
    private static CallContender Decoder(AttentionWork work, AttentionData data, KernelOptions kernel)
    {
        bool reused = work == AttentionWork.DecodeReused;
        int buffers = reused ? Math.Max(data.QuerySetCount, data.Caches.Length) : data.Caches.Length;
        TokenSelect[]? selectors = work == AttentionWork.Decode ? null : [.. Enumerable.Range(0, buffers).Select(_ => Selector(work))];
        int[]? positions = null;
        for (int buffer = buffers - 1; buffer >= 0 && selectors is not null; buffer--)
            positions = selectors[buffer].Select(data.QuerySet(QuerySetOf(buffer)), data.Caches[CacheOf(buffer)], 0, kernel).ToArray();
        var oracle = new AttentionOracle(data, null, positions);
        return new CallContender(kernel.Variant!, kernel.MaxDegreeOfParallelism, buffers, Tolerance, Decode, oracle.LargestError);

        int QuerySetOf(int buffer) => reused ? buffer % data.QuerySetCount : 0;

        int CacheOf(int buffer) => buffer % data.Caches.Length;

        void Decode(int buffer) =>
            SparseAttention.Decode(data.QuerySet(QuerySetOf(buffer)), data.Caches[CacheOf(buffer)], 0, data.Output.Span, selectors?[buffer],
            new() { Kernel = kernel });
    }

    private static TokenSelect Selector(AttentionWork work) =>
        work == AttentionWork.DecodeReused ? new TokenSelect()
        : new TokenSelect(new TokenSelectOptions { HighNibbles = true, ReuseCosine = double.PositiveInfinity });

    private static void Prefill(AttentionData data, BlockMask? mask, in KernelOptions kernel) =>
        SparseAttention.Attend<float>(data.Queries.Span, data.Keys.Span, data.Values.Span, data.Output.Span, data.Case.Shape,
        new() { Causal = true, BlockMask = mask, Kernel = kernel });
}
