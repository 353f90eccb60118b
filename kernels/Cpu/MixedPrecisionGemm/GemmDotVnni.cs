using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>vpdpbusd on 256 bits: four products added to 32-bit lanes, without saturation on the way.</summary>
internal readonly struct GemmDotVnni : IGemmDot<Vector256<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int StepsPerFlush
    {
        [MethodImpl(Inline)]
        get => QuantizedWeightsLayout.LargestSegment;
    }

    [MethodImpl(Inline)]
    public static Vector256<int> AddNibbles(Vector256<int> partial, Vector256<int> weights, Vector256<int> activations) =>
        AddBytes(partial, weights, activations);

    [MethodImpl(Inline)]
    public static Vector256<int> Flush(Vector256<int> total, Vector256<int> partial) => total + partial;

    [MethodImpl(Inline)]
    public static Vector256<int> AddBytes(Vector256<int> total, Vector256<int> weights, Vector256<int> activations) => AvxVnni.IsSupported
        ? AvxVnni.MultiplyWideningAndAdd(total, weights.AsByte(), activations.AsSByte())
        : GemmDotPortable.Add(total, weights, activations);
}
