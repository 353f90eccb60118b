namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue.</summary>
internal static class AttentionContenders
{
    public const string Family = "sparse_attention";

    // Sums of 131,072 terms in float, of the largest result.
    private const double Tolerance = 1e-4;

    /// <summary>Every SIMD variant that this machine can run, on one thread, and after them the default one on each other number of threads.</summary>
    public static IEnumerable<IContender> Ours(AttentionData data, BlockMask? mask, IReadOnlyList<int> threadCounts)
    {
        string types = data.Case.Type == KeyValueType.Float32 ? "f32" : data.Case.Type == KeyValueType.Float16 ? "f32_f16_f32" : "f32_i8_f32";
        KernelDispatch dispatch = KernelInfo.Catalogue.Single(d => d.Chosen.Family == Family && d.Chosen.Types == types);
        IEnumerable<KernelVariant> runnable = dispatch.Variants.Where(variant => variant is { Availability: VariantAvailability.Available, InstructionSet: "avx512" or "avx2" or "advsimd" });
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 ? runnable : [dispatch.Chosen])
                yield return Contender(data, mask, new KernelOptions { Variant = variant.Identity, MaxDegreeOfParallelism = threads });
        }
    }

    private static CallContender Contender(AttentionData data, BlockMask? mask, KernelOptions kernel)
    {
        if (!data.Case.IsDecode)
        {
            var oracle = new AttentionOracle(data, mask, null);
            return new CallContender(kernel.Variant!, kernel.MaxDegreeOfParallelism, 1, Tolerance, _ => Prefill(data, mask, kernel), oracle.LargestError);
        }
        TokenSelect[]? selectors = data.Case.Work == AttentionWork.Decode ? null : [.. data.Caches.Select(_ => Selector(data.Case.Work))];
        int[]? positions = selectors is null ? null : selectors[0].Select(data.Queries.Span, data.Caches[0], 0, kernel).ToArray();
        var decoded = new AttentionOracle(data, null, positions);
        return new CallContender(kernel.Variant!, kernel.MaxDegreeOfParallelism, data.Caches.Length, Tolerance, buffer => Decode(data, buffer, selectors?[buffer], kernel), decoded.LargestError);
    }

    private static TokenSelect Selector(AttentionWork work) =>
        work == AttentionWork.DecodeReused ? new TokenSelect() : new TokenSelect(new TokenSelectOptions { HighBits = true, ReuseCosine = double.PositiveInfinity });

    private static void Decode(AttentionData data, int buffer, TokenSelect? selector, in KernelOptions kernel) =>
        SparseAttention.Decode(data.Queries.Span, data.Caches[buffer], 0, data.Output.Span, selector, new() { Kernel = kernel });

    private static void Prefill(AttentionData data, BlockMask? mask, in KernelOptions kernel) =>
        SparseAttention.Attend<float>(data.Queries.Span, data.Keys.Span, data.Values.Span, data.Output.Span, data.Case.Shape, new() { Causal = true, Mask = mask, Kernel = kernel });
}
