using Kernels.Core.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Primitives;

/// <summary>
/// The point that the exponentials of a row, or of a part of one, are taken relative to: <c>term(x) = exp(x - Origin) 2^(bias - Exponent)</c>.
/// Moving the exponent scales every term by a power of two and so changes no digit of a result.
/// </summary>
/// <remarks>
/// Accuracy needs x - Origin without rounding. Below <see cref="DirectRange"/> in magnitude the origin is 0. From there on it is the largest logit M: every
/// x that matters lies within 2^8 (float) or 2^10 (double) of M, x and M are multiples of the unit in the last place of half the range, and their
/// difference fits the significand: exact.
/// </remarks>
internal readonly struct SoftmaxReference<T> where T : unmanaged
{
    // ln 2 = high + low; high has 32 significant bits, so that its product with an exponent is exact.
    private const double Ln2High = 0.69314718036912382, Ln2Low = 1.9082149292705877e-10;

    // Terms this far below the largest representable one leave room for 2^27 of them in one accumulator.
    private const int HeadroomBits = 27;

    /// <summary>Logits below this magnitude are exponentiated as they are: 2^9 for float, 2^11 for double.</summary>
    public static double DirectRange => typeof(T) == typeof(float) ? 512 : 2048;

    /// <summary>
    /// The bias of numerators that are divided by their sum afterwards: half the exponent range. A numerator whose probability is denormal is then
    /// still a normal number, and the division rounds it once.
    /// </summary>
    public static int NumeratorBias => (FloatFormat.ExponentBias<T>() + 1) / 2;

    public SoftmaxReference(T largest, int bias)
    {
        double logit = ComputeType.ToDouble(largest);
        bool direct = Math.Abs(logit) < DirectRange;
        Largest = largest;
        Origin = direct ? ComputeType.FromDouble<T>(0) : largest;
        Exponent = direct ? (int)Math.Round(logit * Logarithms.Log2E) : 0;
        int exponentBias = FloatFormat.ExponentBias<T>();
        // Lowest exponent of a normal number is 1 - exponentBias; one more, since x log2 e may round down.
        Floor = ComputeType.FromDouble<T>((Exponent - bias + 2 - exponentBias) * Logarithms.Ln2);
        Ceiling = ComputeType.FromDouble<T>((Exponent - bias + exponentBias - HeadroomBits) * Logarithms.Ln2 + ComputeType.ToDouble(Origin));
        OffsetBits = (long)(exponentBias + bias - Exponent) << FloatFormat.FractionBits<T>();
    }

    /// <summary>The logit that the reference was made from; nothing that matters is much larger.</summary>
    public T Largest { get; }

    /// <summary>Subtracted from every logit.</summary>
    public T Origin { get; }

    /// <summary>Subtracted from every term's exponent.</summary>
    public int Exponent { get; }

    /// <summary>The smallest x - Origin whose term is a normal number; smaller ones are raised to it, which no sum of at least 2^-1 can tell.</summary>
    public T Floor { get; }

    /// <summary>The largest x whose term leaves room for a sum.</summary>
    public T Ceiling { get; }

    /// <summary>(exponent bias + bias - Exponent) in the place of the exponent field.</summary>
    public long OffsetBits { get; }

    /// <summary>The logarithm of the largest logit's term at bias 0 before it is rounded: between about -ln(2) / 2 and ln(2) / 2.</summary>
    public double LogarithmOfLargest => ComputeType.ToDouble(Largest) - ComputeType.ToDouble(Origin) - Exponent * Ln2High - Exponent * Ln2Low;

    /// <summary>What a sum of terms relative to this reference (bias 0) has to be multiplied by to be relative to another.</summary>
    public double FactorTo(in SoftmaxReference<T> other) =>
        Math.ScaleB(Math.Exp(ComputeType.ToDouble(Origin) - ComputeType.ToDouble(other.Origin)), Exponent - other.Exponent);
}
