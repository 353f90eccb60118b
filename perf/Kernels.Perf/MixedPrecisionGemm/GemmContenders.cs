namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue.</summary>
internal static class GemmContenders
{
    public const string Family = "mixed_precision_gemm";

    private const string Types = "f32_u4_f32";

    /// <summary>The variants of eight-bit and of exact arithmetic.</summary>
    public static KernelDispatch Int8 { get; } = Of("int8");

    public static KernelDispatch Exact { get; } = Of("exact");

    // Rows from which on the slower variants are left out: each call of theirs takes a good part of a second.
    private const int ManyRows = 512;

    /// <summary>
    /// Variants with wide registers that this machine can run, on one thread, and after them the default one on each other number of threads; with many rows
    /// the default one alone.
    /// </summary>
    public static IEnumerable<IContender> Ours(GemmBuffers buffers, ProductOracle oracle, IReadOnlyList<int> threadCounts)
    {
        KernelDispatch dispatch = buffers.Case.Arithmetic == GemmArithmetic.Exact ? Exact : Int8;
        KernelVariant[] wide = [.. dispatch.Variants.Where(variant =>
            variant is { Availability: VariantAvailability.Available, Implementation: not ("scalar" or "sse42") })];
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 && buffers.Case.RowCount < ManyRows && wide.Length > 0 ? wide : [dispatch.Chosen])
                yield return Contender(buffers, oracle, variant, variant == dispatch.Chosen, threads);
        }
    }

    private static KernelDispatch Of(string arithmetic) => KernelInfo.Catalogue.First(d => d.Operation == $"{Family}.{arithmetic}" && d.Chosen.Types == Types);

    private static CallContender Contender(GemmBuffers buffers, ProductOracle oracle, KernelVariant variant, bool isDefault, int threads) =>
        new(variant.Identity, threads, buffers.Weights.Packed.Length, buffers.Case.Tolerance, buffer => Call(buffers, buffer, variant.Identity, threads),
        oracle.LargestError)
        { IsDefault = isDefault };

    private static void Call(GemmBuffers buffers, int buffer, string variant, int threads) => MixedPrecisionGemm.Multiply<float>(
        buffers.Activations.Span, buffers.Weights.Packed[buffer], buffers.Output.Span,
        new() { Arithmetic = buffers.Case.Arithmetic, Kernel = new() { Variant = variant, MaxDegreeOfParallelism = threads } });
}
