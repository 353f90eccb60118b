namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue: the whole call, with quantisation, decomposition and dequantisation.</summary>
internal static class Int8Contenders
{
    public const string Family = "int8_decomposition";

    private const string Types = "f32_i8_f32";

    public static KernelDispatch Dispatch { get; } = KernelInfo.Catalogue.First(d => d.Chosen.Family == Family && d.Chosen.Types == Types);

    /// <summary>
    /// Variants with wide registers that this machine can run, on one thread, and after them the default one on each other number of threads.
    /// </summary>
    public static IEnumerable<IContender> Ours(Int8Buffers buffers, ProductOracle oracle, IReadOnlyList<int> threadCounts)
    {
        // On 128 bits and less a call takes seconds at these sizes.
        IEnumerable<KernelVariant> wide =
            Dispatch.Variants.Where(v => v is { Availability: VariantAvailability.Available, Implementation: not ("scalar" or "sse42") });
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 && wide.Any() ? wide : [Dispatch.Chosen])
                yield return Contender(buffers, oracle, variant.Identity, threads);
        }
    }

    private static CallContender Contender(Int8Buffers buffers, ProductOracle oracle, string variant, int threads) =>
        new(variant, threads, buffers.Weights.Packed.Length, Int8Case.Tolerance, buffer => Call(buffers, buffer, variant, threads), oracle.LargestError);

    private static void Call(Int8Buffers buffers, int buffer, string variant, int threads) => Int8Decomposition.Multiply<float>(
        buffers.Activations.Span, buffers.Weights.Packed[buffer], buffers.Output.Span,
        new() { Kernel = new() { Variant = variant, MaxDegreeOfParallelism = threads } });
}
