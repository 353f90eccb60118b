namespace Kernels.Gpu;

/// <summary>exp(z) as Mantissa 2^Exponent, where the exponent is an integral float: it cannot overflow.</summary>
internal readonly struct ExtendedExp
{
    /// <summary>
    /// Logits are clamped to plus and minus this bound. It keeps z log2(e) below 2^22, where adding <see cref="RoundingAnchor"/> still rounds to an
    /// integer, and is twice <see cref="ExtendedSum.LargestPlainLogit"/>, so that a clamped logit still compares as it should with every plain one.
    /// </summary>
    public const float Bound = 1 << 21;

    // 1.5 * 2^23: the spacing of floats there is 1, so adding it rounds to an integer, to nearest even.
    private const float RoundingAnchor = 12582912f;
    private const float Log2E = 1.44269504f;
    // ln 2 in two parts: the first has 24 bits, n High is then exact within a fused multiply-add; the second is the rest.
    public const float Ln2High = 0.693147182f, Ln2Low = -1.90465421e-09f;
    // exp(t) = 1 + t + t^2 (C2 + C3 t + ... + C6 t^4) on [-ln2/2, ln2/2]: minimax in relative error (3.1e-9), by Remez exchange.
    private const float C2 = 0.499999934f, C3 = 0.166665204f, C4 = 0.0416683908f, C5 = 0.00836874511f, C6 = 0.00138145402f;

    public readonly float Mantissa;
    public readonly float Exponent;

    /// <summary>The pair of exp(z), its mantissa within [0.70, 1.42] and a relative error below 1.2e-7. NaN gives NaN in the mantissa.</summary>
    public ExtendedExp(float z)
    {
        float x = z > Bound ? Bound : z;
        x = x < -Bound ? -Bound : x;
        float n = GpuOps.Fma(x, Log2E, RoundingAnchor) - RoundingAnchor;
        float t = GpuOps.Fma(n, -Ln2High, x);
        t = GpuOps.Fma(n, -Ln2Low, t);
        float p = GpuOps.Fma(C6, t, C5);
        p = GpuOps.Fma(p, t, C4);
        p = GpuOps.Fma(p, t, C3);
        p = GpuOps.Fma(p, t, C2);
        p = GpuOps.Fma(p, t, 1f);
        Mantissa = GpuOps.Fma(p, t, 1f);
        Exponent = n;
    }
}
