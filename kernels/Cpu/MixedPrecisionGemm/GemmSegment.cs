using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>A segment of a panel: the weights of at most 128 inputs and 64 outputs, and their group's scales.</summary>
internal unsafe struct GemmSegment
{
    public byte* Weights;

    /// <summary>64, of <see cref="ScaleType"/>.</summary>
    public byte* Scales;

    /// <summary>64, or null: then <see cref="SymmetricZero"/> is the zero of all.</summary>
    public byte* ZeroPoints;

    public float SymmetricZero;
    public ScaleType ScaleType;
    public int StepCount;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly V LoadScales<V, TSimd>(int column) where V : unmanaged where TSimd : struct, IGemmSimd<V> => ScaleType switch
    {
        ScaleType.Float16 => TSimd.LoadHalves((Half*)Scales + column),
        ScaleType.BFloat16 => TSimd.LoadBFloat16s((BFloat16*)Scales + column),
        _ => TSimd.Load((float*)Scales + column),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly V LoadZeros<V, TSimd>(int column) where V : unmanaged where TSimd : struct, IGemmSimd<V> =>
        ZeroPoints == null ? TSimd.Broadcast(SymmetricZero) : TSimd.LoadBytes(ZeroPoints + column);
}

/// <summary>The activations that meet a segment: rows of <see cref="Length"/> values, one after another, padded with zeros to whole steps.</summary>
internal unsafe struct ActivationSegment
{
    /// <summary>float in exact arithmetic, sbyte in eight-bit arithmetic.</summary>
    public byte* Values;

    public int RowCount;

    /// <summary>Values of a row.</summary>
    public int Length;

    /// <summary>Eight-bit arithmetic: an activation is Scales[row] times its value.</summary>
    public float* Scales;

    /// <summary>Eight-bit arithmetic: the sum of a row's values, which the zero point is multiplied with.</summary>
    public float* Sums;
}

/// <summary>Adds the products of a segment to sums[rows, 64]. What a row gets depends neither on the other rows nor on their number.</summary>
internal unsafe interface IGemmKernels
{
    static abstract void AddExact(in GemmSegment segment, in ActivationSegment activations, float* sums);

    static abstract void AddInt8(in GemmSegment segment, in ActivationSegment activations, float* sums);
}
