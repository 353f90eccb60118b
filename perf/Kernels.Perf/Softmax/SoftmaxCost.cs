namespace Kernels.Perf;

/// <summary>What a softmax must move and compute at least: the definitions of docs/benchmarking.md in code.</summary>
internal static unsafe class SoftmaxCost<T> where T : unmanaged
{
    // Multiply-add slots for one element in cache: reduction of the argument 3 (the multiple of ln 2, and ln 2 in two parts), polynomial 5 in float and
    // 11 in double (degree), maximum or rescaling 1, the factor 1 / sum 1.
    private const int SingleSlots = 10, DoubleSlots = 16;

    // A multiply-add counts as two operations; a vector holds half as many doubles as floats.
    private const double OperationsPerSlot = 2;

    private static double FloatOperationsPerElement =>
        typeof(T) == typeof(double) ? 2 * DoubleSlots * OperationsPerSlot : SingleSlots * OperationsPerSlot;

    /// <summary>In cache each logit is read once and each probability written once; beyond it a softmax has to read the logits twice.</summary>
    public static double Bytes(SoftmaxBuffers<T> buffers)
    {
        long reads = buffers.Case.VisibleCount * (buffers.InCache ? 1 : 2);
        return sizeof(T) * (double)(reads + buffers.Case.ElementCount);
    }

    public static IReadOnlyList<RoofKind> Roofs(SoftmaxBuffers<T> buffers) =>
        buffers.InCache ? [RoofKind.MultiplyAdd] : [RoofKind.Read, RoofKind.CopyNonTemporal];

    /// <summary>In cache: the multiply-adds at the measured peak. Beyond: one read of the logits, and one non-temporal copy of them to the output.</summary>
    public static double RoofSeconds(SoftmaxBuffers<T> buffers, RoofSamples roofs, int threads)
    {
        double visible = buffers.Case.VisibleCount;
        if (buffers.InCache)
            return visible * FloatOperationsPerElement / roofs.PerSecond(RoofKind.MultiplyAdd, threads);
        double copied = sizeof(T) * (visible + buffers.Case.ElementCount);
        return sizeof(T) * visible / roofs.PerSecond(RoofKind.Read, threads) + copied / roofs.PerSecond(RoofKind.CopyNonTemporal, threads);
    }
}
