using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>Dot products of four lanes: pmaddubsw (SSSE3) or sdot (ARM64), and shifts and products elsewhere.</summary>
internal readonly struct GemmDot128 : IGemmDot<Vector128<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int StepsPerFlush
    {
        [MethodImpl(Inline)]
        get => Ssse3.IsSupported ? GemmBits.StepsPerFlushOfShorts : QuantizedWeightsLayout.LargestSegment;
    }

    [MethodImpl(Inline)]
    public static Vector128<int> AddNibbles(Vector128<int> partial, Vector128<int> weights, Vector128<int> activations)
    {
        if (Ssse3.IsSupported)
            return (partial.AsInt16() + Ssse3.MultiplyAddAdjacent(weights.AsByte(), activations.AsSByte())).AsInt32();
        // Nibbles are as well signed bytes.
        return Dp.IsSupported ? Dp.DotProduct(partial, weights.AsSByte(), activations.AsSByte()) : GemmDotPortable.Add(partial, weights, activations);
    }

    [MethodImpl(Inline)]
    public static Vector128<int> Flush(Vector128<int> total, Vector128<int> partial) =>
        total + (Ssse3.IsSupported ? Sse2.MultiplyAddAdjacent(partial.AsInt16(), Vector128<short>.One) : partial);

    [MethodImpl(Inline)]
    public static Vector128<int> AddBytes(Vector128<int> total, Vector128<int> weights, Vector128<int> activations)
    {
        if (!Ssse3.IsSupported && !Dp.IsSupported)
            return GemmDotPortable.Add(total, weights, activations);
        Vector128<int> low = Flush(total, AddNibbles(Vector128<int>.Zero, GemmSimd128.LowNibbles(weights), activations));
        Vector128<int> high = Flush(Vector128<int>.Zero, AddNibbles(Vector128<int>.Zero, GemmSimd128.HighNibbles(weights), activations));
        return low + (high << GemmBits.Nibble);
    }
}
