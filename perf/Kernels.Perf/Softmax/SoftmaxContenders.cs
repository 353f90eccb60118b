using Kernels.Core.Elements;

namespace Kernels.Perf;

/// <summary>Our variants, straight from the catalogue.</summary>
internal static class SoftmaxContenders
{
    public const string Family = "softmax";

    // What the library promises for float (see Softmax); the 16-bit types round once more.
    public const double SingleTolerance = 3e-7;

    // Of the oracle itself: z - max z up to 40 is rounded to 3.6e-15 in double, and so is the exponential, relatively.
    private const double DoubleTolerance = 1e-14;

    /// <summary>Every variant that this machine can run, on one thread, and after them the default one on each other number of threads.</summary>
    public static IEnumerable<IContender> Ours<T>(SoftmaxBuffers<T> buffers, SoftmaxOracle<T> oracle, IReadOnlyList<int> threadCounts) where T : unmanaged
    {
        KernelDispatch dispatch = KernelInfo.Catalogue.First(d => d.Chosen.Family == Family && d.Chosen.Types == TypeName.Of<T>());
        IEnumerable<KernelVariant> runnable = dispatch.Variants.Where(variant => variant.Availability == VariantAvailability.Available);
        foreach (int threads in threadCounts)
        {
            foreach (KernelVariant variant in threads == 1 ? runnable : [dispatch.Chosen])
                yield return Contender(buffers, oracle, variant.Identity, threads);
        }
#if GPU_AVAILABLE
        foreach (IContender contender in SoftmaxOnGpu.Contenders(buffers, oracle))
            yield return contender;
#endif
    }

    public static void Call<T>(SoftmaxBuffers<T> buffers, int buffer, string? variant, int threads) where T : unmanaged =>
        Softmax.Compute<T>(buffers.Input(buffer).Span, buffers.Output(buffer).Span, buffers.Case.RowLength, buffers.Case.Options<T>(variant, threads));

    private static CallContender Contender<T>(SoftmaxBuffers<T> buffers, SoftmaxOracle<T> oracle, string variant, int threads) where T : unmanaged =>
        new(variant, threads, buffers.Count, Tolerance<T>(), buffer => Call(buffers, buffer, variant, threads), () => oracle.LargestError(buffers.Output(0)));

    private static double Tolerance<T>() where T : unmanaged =>
        typeof(T) == typeof(double) ? DoubleTolerance : typeof(T) == typeof(float) ? SingleTolerance : SingleTolerance + Element<T>.UnitRoundoff;
}
