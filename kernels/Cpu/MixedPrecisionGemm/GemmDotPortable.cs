using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// The dot product of four bytes by its definition, in 32-bit lanes: for machines without an instruction for it, and for variants run in software.
/// </summary>
internal static class GemmDotPortable
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static uint Add(uint total, uint weights, uint activations)
    {
        for (int index = 0; index < QuantizedWeightsLayout.LaneInputs; index++)
            total += (uint)((byte)(weights >> (GemmBits.Byte * index)) * (sbyte)(activations >> (GemmBits.Byte * index)));
        return total;
    }

    [MethodImpl(Inline)]
    public static Vector128<int> Add(Vector128<int> total, Vector128<int> weights, Vector128<int> activations)
    {
        for (int index = 0; index < QuantizedWeightsLayout.LaneInputs; index++)
        {
            Vector128<int> weight = (weights >>> (GemmBits.Byte * index)) & Vector128.Create((int)byte.MaxValue);
            // Up to the sign bit, and down again with it.
            total += weight * ((activations << (GemmBits.TopByte - GemmBits.Byte * index)) >> GemmBits.TopByte);
        }
        return total;
    }

    [MethodImpl(Inline)]
    public static Vector256<int> Add(Vector256<int> total, Vector256<int> weights, Vector256<int> activations) => Vector256.Create(
        Add(total.GetLower(), weights.GetLower(), activations.GetLower()), Add(total.GetUpper(), weights.GetUpper(), activations.GetUpper()));

    [MethodImpl(Inline)]
    public static Vector512<int> Add(Vector512<int> total, Vector512<int> weights, Vector512<int> activations) => Vector512.Create(
        Add(total.GetLower(), weights.GetLower(), activations.GetLower()), Add(total.GetUpper(), weights.GetUpper(), activations.GetUpper()));
}
