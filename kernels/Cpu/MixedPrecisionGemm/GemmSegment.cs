using System.Runtime.CompilerServices;

namespace Kernels.Cpu.MixedPrecisionGemm;

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
        ScaleType.BFloat16 => TSimd.LoadBFloat16s((BrainFloat16*)Scales + column),
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

/// <summary>
/// Segments of one panel that follow each other in memory, and so do their scales and activations: all of a group but a shorter last one, or one segment of
/// each of many groups.
/// </summary>
/// <param name="segment">The first.</param>
/// <param name="activations">What meets it.</param>
/// <param name="count">The number of segments.</param>
/// <param name="groupStride">Outputs from a segment's scales and zero points to those of the next: 64, or 0 within a group.</param>
/// <param name="scaleBytes">Of a scale.</param>
/// <param name="segmentBytes">Of a segment's weights.</param>
/// <param name="valueBytes">Of an activation.</param>
internal readonly unsafe struct GemmRun(in GemmSegment segment, in ActivationSegment activations, int count, int groupStride, int scaleBytes, int segmentBytes,
    int valueBytes)
{
    private readonly GemmSegment _segment = segment;
    private readonly ActivationSegment _activations = activations;
    private readonly int _scaleBytes = scaleBytes;
    private readonly int _segmentBytes = segmentBytes;
    private readonly int _valueBytes = valueBytes;

    public int Count { get; } = count;

    public int GroupStride { get; } = groupStride;

    public GemmSegment Segment(int index)
    {
        GemmSegment segment = _segment;
        segment.Weights += (long)index * _segmentBytes;
        segment.Scales += (long)index * GroupStride * _scaleBytes;
        if (segment.ZeroPoints != null)
            segment.ZeroPoints += (long)index * GroupStride;
        return segment;
    }

    public ActivationSegment Activations(int index)
    {
        ActivationSegment rows = _activations;
        long before = (long)index * rows.RowCount;
        rows.Values += before * rows.Length * _valueBytes;
        rows.Scales += before;
        rows.Sums += before;
        return rows;
    }
}

/// <summary>Adds the products of segments, in order, to sums[rows, 64]. What a row gets depends neither on the other rows nor on their number.</summary>
internal unsafe interface IGemmKernels
{
    static abstract void AddExact(in GemmRun run, float* sums);

    static abstract void AddInt8(in GemmRun run, float* sums);
}
