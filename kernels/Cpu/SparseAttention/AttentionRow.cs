using Kernels.Core.Elements;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// The sum of a row's terms exp(logit) 2^-Exponent, to which its results are relative as well. Parts of a row are merged by powers of two, which change no
/// digit: no maximum is needed, and the history of the exponent leaves no trace in a result.
/// </summary>
internal unsafe struct AttentionRow
{
    /// <summary>No logit was met yet.</summary>
    public const int NoExponent = int.MinValue;

    public double Sum;
    public int Exponent;

    /// <summary>Logits up to this leave the exponent as it is.</summary>
    public float Limit;

    public static AttentionRow Empty => new() { Exponent = NoExponent, Limit = float.NegativeInfinity };

    /// <summary>The exponent that terms are computed with: 0 as long as there are none but zeros.</summary>
    public readonly int Scaling => Exponent == NoExponent ? 0 : Exponent;

    /// <summary>Natural logarithm of the sum of exponentials.</summary>
    public readonly float LogSumExp => Sum == 0 ? float.NegativeInfinity : (float)(Math.Log(Sum) + Scaling * Logarithms.Ln2);

    /// <summary>What results are multiplied by in the end; 0 for rows without terms.</summary>
    public readonly float Normalization => Sum == 0 ? 0 : (float)(1 / Sum);

    /// <summary>
    /// Turns a row of logits of any size into terms and adds them; returns the power of two by which what was computed before must be multiplied.
    /// </summary>
    public float AddTerms<TKernels>(float* logits) where TKernels : struct, IAttentionKernels
    {
        float largest = TKernels.Max(logits), factor = 1;
        if (largest > AttentionTuning.LargestLogit)
        {
            Sum = double.NaN;
        }
        else if (largest >= AttentionTuning.SmallestLogit)
        {
            int exponent = (int)Math.Round(largest * Logarithms.Log2E);
            if (Exponent == NoExponent || exponent > Exponent + AttentionTuning.HeadroomBits)
            {
                factor = FactorTo(exponent);
                Sum *= factor;
                Exponent = exponent;
                // Near the smallest logit every further row of logits comes here, for its smaller ones to be left out.
                Limit = IsNearSmallest ? float.NegativeInfinity
                    : MathF.Min(AttentionTuning.LargestLogit, (float)((exponent + AttentionTuning.HeadroomBits) * Logarithms.Ln2));
            }
        }
        if (IsNearSmallest)
            TileRows.LeaveOut(logits);
        Sum += TKernels.Exponentiate(logits, 0, Scaling);
        return factor;
    }

    private readonly bool IsNearSmallest => Exponent != NoExponent && Exponent * Logarithms.Ln2 < AttentionTuning.SmallestLogit + AttentionTuning.TermReach;

    /// <summary>2^(Exponent - exponent): brings this row's results to another exponent.</summary>
    public readonly float FactorTo(int exponent) => Exponent == NoExponent ? 1 : (float)Math.ScaleB(1, Exponent - exponent);
}
