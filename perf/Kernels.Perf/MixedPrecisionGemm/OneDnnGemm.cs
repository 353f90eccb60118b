namespace Kernels.Perf;

/// <summary>
/// oneDNN's matmul primitive, its weights in the layout that it likes best: in float on the dequantised weights, and in eight bits on weights and activations
/// that were rounded beforehand, which costs it nothing here while ours round within the call.
/// </summary>
internal static class OneDnnGemm
{
    // Rounding alone: a larger error means another problem.
    private const double FloatTolerance = 1e-2;

    // Seven or eight bits with one scale for all activations: 4 sigma of the rounding errors, of results of 4 sigma.
    private const double RoundedTolerance = 5e-2;

    // Products of pairs up to 2 * 255 * 127 saturate the library's 16-bit sums where there is no vpdpbusd (AVX2): the error is what this rival is to show.
    private const double SaturatedTolerance = double.PositiveInfinity;

    private const string Float = "rival/onednn", Unsigned = "rival/onednn-u8s8", Signed = "rival/onednn-s8s8";

    public static RivalStatus[] Statuses =>
    [
        OneDnn.Status(Float, "float", OneDnnProduct.OperandsOf(OneDnn.SingleType)),
        OneDnn.Status(Unsigned, "activations 0 to 127, which cannot saturate; weights -127 to 127", OneDnnProduct.OperandsOf(OneDnn.ByteType)),
        OneDnn.Status(Signed, "activations and weights -127 to 127, which saturate without VNNI", OneDnnProduct.OperandsOf(OneDnn.SByteType)),
    ];

    public static IEnumerable<IContender> Open(GemmBuffers buffers, ProductOracle oracle, int threads)
    {
        if (OneDnn.AbsentReason is not null)
            yield break;
        if (buffers.Case.Arithmetic == GemmArithmetic.Exact)
        {
            yield return Contender(Float, FloatTolerance, OneDnnGemmSession.InFloat(buffers, threads));
            yield break;
        }
        yield return Contender(Unsigned, RoundedTolerance, OneDnnGemmSession.InEightBits(buffers, RoundedActivations.Unsigned(buffers.Activations.Span),
            threads));
        yield return Contender(Signed, SaturatedTolerance, OneDnnGemmSession.InEightBits(buffers, RoundedActivations.Signed(buffers.Activations.Span),
            threads));

        IContender Contender(string identity, double tolerance, OneDnnGemmSession session) =>
            new CallContender(identity, threads, session.BufferCount, tolerance, session.Call, oracle.LargestError, session.Dispose);
    }
}
