namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue.</summary>
internal static class GemmContenders
{
    public const string Family = "mixed_precision_gemm";

    private const string Types = "f32_u4_f32";

    public static KernelDispatch Dispatch { get; } = KernelInfo.Catalogue.First(d => d.Chosen.Family == Family && d.Chosen.Types == Types);

    // Rows from which on the slower variants are left out: each call of theirs takes a good part of a second.
    private const int ManyRows = 512;

    /// <summary>Variants with wide registers that this machine can run, on one thread, and after them the default one on each other number of threads; with many rows the default one alone.</summary>
    public static IEnumerable<IContender> Ours(GemmBuffers buffers, ProductOracle oracle, IReadOnlyList<int> threadCounts)
    {
        // In exact arithmetic native variants run the managed kernels.
        bool isExact = buffers.Case.Arithmetic == GemmArithmetic.Exact;
        KernelVariant[] wide = [.. Dispatch.Variants.Where(variant => variant is { Availability: VariantAvailability.Available, Implementation: not ("scalar" or "sse42") }
            && (!isExact || variant.Backend != "native" || variant == Dispatch.Chosen))];
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 && buffers.Case.RowCount < ManyRows && wide.Length > 0 ? wide : [Dispatch.Chosen])
                yield return Contender(buffers, oracle, variant.Identity, threads);
        }
    }

    private static CallContender Contender(GemmBuffers buffers, ProductOracle oracle, string variant, int threads) =>
        new(variant, threads, buffers.Weights.Packed.Length, buffers.Case.Tolerance, buffer => Call(buffers, buffer, variant, threads), oracle.LargestError);

    private static void Call(GemmBuffers buffers, int buffer, string variant, int threads) => MixedPrecisionGemm.Multiply<float>(
        buffers.Activations.Span, buffers.Weights.Packed[buffer], buffers.Output.Span,
        new() { Arithmetic = buffers.Case.Arithmetic, Kernel = new() { Variant = variant, MaxDegreeOfParallelism = threads } });
}
