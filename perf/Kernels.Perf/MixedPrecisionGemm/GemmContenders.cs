namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue.</summary>
internal static class GemmContenders
{
    public const string Family = "mixed_precision_gemm";

    private const string Types = "f32_u4_f32";

    public static KernelDispatch Dispatch { get; } = KernelInfo.Catalogue.First(d => d.Chosen.Family == Family && d.Chosen.Types == Types);

    /// <summary>Every SIMD variant that this machine can run, on one thread, and after them the default one on each other number of threads.</summary>
    public static IEnumerable<IContender> Ours(GemmBuffers buffers, ProductOracle oracle, IReadOnlyList<int> threadCounts)
    {
        // The scalar variant takes minutes at these sizes; in exact arithmetic native variants run the managed kernels.
        bool isExact = buffers.Case.Arithmetic == GemmArithmetic.Exact;
        IEnumerable<KernelVariant> runnable = Dispatch.Variants.Where(variant => variant is { Availability: VariantAvailability.Available, InstructionSet: not "scalar" }
            && (!isExact || variant.Backend != "native" || variant == Dispatch.Chosen));
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 ? runnable : [Dispatch.Chosen])
                yield return Contender(buffers, oracle, variant.Identity, threads);
        }
    }

    private static CallContender Contender(GemmBuffers buffers, ProductOracle oracle, string variant, int threads) =>
        new(variant, threads, buffers.Weights.Packed.Length, buffers.Case.Tolerance, buffer => Call(buffers, buffer, variant, threads), oracle.LargestError);

    private static void Call(GemmBuffers buffers, int buffer, string variant, int threads) => MixedPrecisionGemm.Multiply<float>(
        buffers.Activations.Span, buffers.Weights.Packed[buffer], buffers.Output.Span,
        new() { Arithmetic = buffers.Case.Arithmetic, Kernel = new() { Variant = variant, MaxDegreeOfParallelism = threads } });
}
