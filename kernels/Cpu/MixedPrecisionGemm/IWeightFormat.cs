using System.Runtime.CompilerServices;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>How a step of 8 inputs stands in memory (<see cref="QuantizedWeightsLayout"/>), and how it is multiplied in integers.</summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Bytes of a step of a whole panel.</summary>
    static abstract int StepBytes { get; }

    /// <summary>Inputs 0 to 3 of the step, a byte each.</summary>
    static abstract V First<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V>;

    /// <summary>Inputs 4 to 7 of the step, a byte each.</summary>
    static abstract V Second<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V>;

    /// <summary>Byte 0, 1, 2 or 3 of every lane as the number from which the zero is subtracted.</summary>
    static abstract V ToSingle<V, TSimd>(V bytes, int index) where V : unmanaged where TSimd : struct, IGemmSimd<V>;

    /// <summary>See <see cref="IGemmDot{V}"/>.</summary>
    static abstract int StepsPerFlush<V, TDot>() where V : unmanaged where TDot : struct, IGemmDot<V>;

    static abstract V Add<V, TDot>(V partial, V weights, V activations) where V : unmanaged where TDot : struct, IGemmDot<V>;

    static abstract V Flush<V, TDot>(V total, V partial) where V : unmanaged where TDot : struct, IGemmDot<V>;
}

/// <summary>Two inputs in a byte.</summary>
internal readonly unsafe struct U4Weights : IWeightFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int StepBytes => QuantizedWeightsLayout.PanelColumns * QuantizedWeightsLayout.LaneInputs;

    [MethodImpl(Inline)]
    public static V First<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V> => TSimd.LowNibbles(TSimd.Load(step));

    [MethodImpl(Inline)]
    public static V Second<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V> => TSimd.HighNibbles(TSimd.Load(step));

    [MethodImpl(Inline)]
    public static V ToSingle<V, TSimd>(V bytes, int index) where V : unmanaged where TSimd : struct, IGemmSimd<V> => TSimd.ByteToSingle(bytes, index);

    [MethodImpl(Inline)]
    public static int StepsPerFlush<V, TDot>() where V : unmanaged where TDot : struct, IGemmDot<V> => TDot.StepsPerFlush;

    [MethodImpl(Inline)]
    public static V Add<V, TDot>(V partial, V weights, V activations) where V : unmanaged where TDot : struct, IGemmDot<V> =>
        TDot.AddNibbles(partial, weights, activations);

    [MethodImpl(Inline)]
    public static V Flush<V, TDot>(V total, V partial) where V : unmanaged where TDot : struct, IGemmDot<V> => TDot.Flush(total, partial);
}

/// <summary>One input in a byte.</summary>
internal readonly unsafe struct U8Weights : IWeightFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private const int HalfStepBytes = QuantizedWeightsLayout.PanelColumns * QuantizedWeightsLayout.LaneInputs;

    public static int StepBytes => 2 * HalfStepBytes;

    [MethodImpl(Inline)]
    public static V First<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V> => TSimd.Load(step);

    [MethodImpl(Inline)]
    public static V Second<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V> => TSimd.Load(step + HalfStepBytes);

    [MethodImpl(Inline)]
    public static V ToSingle<V, TSimd>(V bytes, int index) where V : unmanaged where TSimd : struct, IGemmSimd<V> => TSimd.ByteToSingle(bytes, index);

    // Sums are int32 from the start: the whole segment is one partial sum, and flushing hands it over.
    public static int StepsPerFlush<V, TDot>() where V : unmanaged where TDot : struct, IGemmDot<V> => QuantizedWeightsLayout.LargestSegment;

    [MethodImpl(Inline)]
    public static V Add<V, TDot>(V partial, V weights, V activations) where V : unmanaged where TDot : struct, IGemmDot<V> =>
        TDot.AddBytes(partial, weights, activations);

    [MethodImpl(Inline)]
    public static V Flush<V, TDot>(V total, V partial) where V : unmanaged where TDot : struct, IGemmDot<V> => partial;
}
