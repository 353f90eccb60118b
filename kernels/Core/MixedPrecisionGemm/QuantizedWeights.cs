using Kernels.Core.Checks;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Core.Tensors;
using Kernels.Core.Threading;

namespace Kernels;

/// <summary>
/// A weight matrix W[outputs, inputs] in 4 or 8 bits with a scale for each group of inputs, packed once in the layout that all kernels read.
/// Immutable: any number of threads may multiply with it at a time.
/// </summary>
/// <remarks>
/// A weight is w = scale (q - zero), or scale codebook[q]. Bytes for each weight with 16-bit scales: (4 + 16 / group) / 8 in four bits, so 0.516 at group 128;
/// a zero point is one byte for each group and output, an order of inputs 4 bytes for each input. Outputs are padded to a multiple of 64 and each group to a
/// multiple of 8 inputs. The bytes lie in a <see cref="PackedMemory"/>, which the weights own: pages of their own unless another was given. They are freed by
/// <see cref="Dispose"/>, or when they are garbage.
/// </remarks>
public sealed unsafe partial class QuantizedWeights : IPackedWeights, IDisposable
{
    private readonly PackedMemory _memory;

    private QuantizedWeights(in QuantizedWeightsLayout layout, PackedMemory memory)
    {
        Layout = layout;
        _memory = memory;
    }

    /// <summary>n, the number of outputs.</summary>
    public int OutputCount => Layout.OutputCount;

    /// <summary>k, the number of inputs.</summary>
    public int InputCount => Layout.InputCount;

    /// <summary>The number of groups of each output.</summary>
    public int GroupCount => Layout.GroupCount;

    /// <summary>The format; its group size is the number of inputs where one group covers them all.</summary>
    public QuantizationFormat Format => Layout.Format;

    /// <summary>Whether inputs were sorted by group (act-order, g_idx): kernels then gather the activations in the same order.</summary>
    public bool HasInputOrder => Layout.HasInputOrder;

    /// <summary>The bytes of the packed matrix: weights, scales, zero points and order of inputs, with their padding.</summary>
    public long ByteCount => Layout.ByteCount;

    internal QuantizedWeightsLayout Layout { get; }

    /// <summary>The packed bytes; valid while a lease of <see cref="Acquire"/> is held.</summary>
    internal byte* Packed => _memory.Start;

    /// <summary>Packed input i is input InputOrder[i] of the matrix; null where all stand in their own order.</summary>
    internal int* InputOrder => View.InputOrder;

    private PackedWeights View => new(Layout, Packed);

    /// <summary>Quantises float weights by rounding to nearest, ties to even.</summary>
    /// <param name="weights">[outputCount, inputCount], row-major, as a torch Linear keeps them; finite.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    /// <param name="destination">Where the packed bytes will lie, which the weights then own: as many as <see cref="PackedByteCount"/> says; null (the default)
    /// for pages of their own.</param>
    /// <remarks>
    /// Symmetric formats: scale = 2 max|w| / (2^bits - 1), as MARLIN has it, rounded to the scale's type; q = clamp(round(w / scale) + zero). With zero points:
    /// the scale is the range of the group and 0, divided by 2^bits - 1; zero = round(-minimum / scale). Codebooks: scale = max|w|; the nearest number. A group
    /// of zeros gets scale 0. A scale below the normal numbers of its type, of which rounding down would take more than half a step at the end of the range, is
    /// rounded up; a group that would keep less than four bits do even so is refused. 2:4 sparsity: of each four inputs the two weights of largest magnitude
    /// are kept, of equal ones the first; scales are those of the weights before. Nothing but the packed bytes is allocated.
    /// </remarks>
    /// <exception cref="ArgumentException">Sizes disagree, the group does not divide the inputs, a weight is not finite, or a scale exceeds its type or would
    /// be 0 in it.</exception>
    public static QuantizedWeights Pack(
        ReadOnlySpan<float> weights, int outputCount, int inputCount, QuantizationFormat format, KernelOptions options = default,
        PackedMemory? destination = null)
    {
        QuantizedWeightsLayout layout = QuantizedWeightsChecks.Layout(outputCount, inputCount, format);
        Check.Exactly(weights.Length, (long)outputCount * inputCount, nameof(weights));
        QuantizedWeightsChecks.FiniteWithScales(weights, layout, nameof(weights));
        fixed (float* first = weights)
            return From(layout, [], new RoundedWeights(first, layout), options, destination);
    }

    /// <summary>Packs weights that are quantised already.</summary>
    /// <param name="values">q, [outputCount, inputCount], one in each byte, at most 15 in four bits.</param>
    /// <param name="scales">[outputCount, groups]; finite; rounded to the scale's type, in which none may become infinite or, unless it was, 0.</param>
    /// <param name="zeroPoints">[outputCount, groups], up to 15 or 255, for formats with zero points; else empty.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales.</param>
    /// <param name="groupIndices"> The group of each input (g_idx of GPTQ with act-order); each group has as many inputs. Empty (the default) where groups are
    /// consecutive inputs. Inputs are sorted by group when they are packed, and multiplication gathers the activations in that order: the product is the same,
    /// with one more pass over the activations.
    /// </param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    /// <param name="destination">Where the packed bytes will lie, which the weights then own: as many as <see cref="PackedByteCount"/> says; null (the default)
    /// for pages of their own.</param>
    /// <exception cref="ArgumentException">Sizes disagree, the group does not divide the inputs, or a number is out of its range.</exception>
    public static QuantizedWeights FromQuantized(
        ReadOnlySpan<byte> values, ReadOnlySpan<float> scales, ReadOnlySpan<byte> zeroPoints, int outputCount, int inputCount, QuantizationFormat format,
        ReadOnlySpan<int> groupIndices = default, KernelOptions options = default, PackedMemory? destination = null)
    {
        QuantizedWeightsLayout layout = QuantizedWeightsChecks.Layout(outputCount, inputCount, format);
        long scaleCount = (long)outputCount * layout.GroupCount;
        Check.Exactly(values.Length, (long)outputCount * inputCount, nameof(values));
        Check.Exactly(scales.Length, scaleCount, nameof(scales));
        Check.Exactly(zeroPoints.Length, format.HasZeroPoints ? scaleCount : 0, nameof(zeroPoints));
        QuantizedWeightsChecks.Range(values, format.LargestValue, nameof(values));
        QuantizedWeightsChecks.Range(zeroPoints, format.LargestValue, nameof(zeroPoints));
        QuantizedWeightsChecks.Finite(scales, layout.GroupCount, nameof(scales));
        foreach (float scale in scales)
            QuantizedWeightsChecks.ScaleFits(scale, format, nameof(scales));
        QuantizedWeightsChecks.Sparse(values, zeroPoints, layout, nameof(values));
        if (format.IsSparse && !groupIndices.IsEmpty)
            throw new ArgumentException("2:4 sparsity needs inputs in their own order", nameof(groupIndices));
        int[] order = groupIndices.IsEmpty ? [] : InputsByGroup.Order(groupIndices, layout, nameof(groupIndices));
        fixed (byte* value = values, zeroPoint = zeroPoints)
        fixed (float* scale = scales)
        fixed (int* inputOrder = order)
            return From(layout, order, new GivenWeights(value, scale, zeroPoint, inputOrder, layout), options, destination);
    }

    /// <summary>Packs what a source gives, with its inputs in an order that is empty where they stand as they are.</summary>
    internal static QuantizedWeights From<TSource>(
        in QuantizedWeightsLayout layout, ReadOnlySpan<int> inputOrder, TSource source, in KernelOptions options, PackedMemory? destination = null)
        where TSource : unmanaged, IWeightSource
    {
        int threads = ThreadCount(layout, options);
        var ordered = new QuantizedWeightsLayout(layout.OutputCount, layout.InputCount, layout.Format, hasInputOrder: !inputOrder.IsEmpty);
        var packed = new QuantizedWeights(ordered, PackedMemory.Prepare(destination, ordered.ByteCount, nameof(destination)));
        using PackedLease lease = packed._memory.Acquire(packed);
        inputOrder.CopyTo(new Span<int>(packed.InputOrder, inputOrder.Length));
        RangeRunner.Run(new PackJob<TSource>(packed.View, source), layout.PanelCount, grain: 1, threads, options.CancellationToken);
        return packed;
    }

    private static int ThreadCount(in QuantizedWeightsLayout layout, in KernelOptions options)
    {
        // A thread is worth waking for about a tenth of a millisecond of packing: a nanosecond for each weight.
        const long parallelWeights = 1 << 18;
        Check.KernelWithoutVariants(options, "packing weights");
        return ThreadPolicy.Threads((long)layout.OutputCount * layout.InputCount, parallelWeights, options);
    }

    /// <summary>Writes the values, scales and zero points as <see cref="FromQuantized"/> takes them.</summary>
    /// <param name="values">q, [outputs, inputs], with inputs in their own order.</param>
    /// <param name="scales">[outputs, groups].</param>
    /// <param name="zeroPoints">[outputs, groups] for formats with zero points; others write none.</param>
    /// <param name="groupIndices">[inputs]: the group of each input; or empty where they are not wanted.</param>
    /// <exception cref="ArgumentException">A span has fewer elements.</exception>
    public void Unpack(Span<byte> values, Span<float> scales, Span<byte> zeroPoints, Span<int> groupIndices = default)
    {
        long scaleCount = (long)OutputCount * GroupCount;
        Check.AtLeast(values.Length, (long)OutputCount * InputCount, nameof(values));
        scales = Check.Written(scales, scaleCount, nameof(scales));
        zeroPoints = Check.Written(zeroPoints, Format.HasZeroPoints ? scaleCount : 0, nameof(zeroPoints));
        groupIndices = Check.WrittenOrEmpty(groupIndices, InputCount, nameof(groupIndices));
        using PackedLease lease = Acquire();
        fixed (byte* value = values)
            new UnpackJob<byte>(View, value).Run(0, Layout.PanelCount);
        for (int i = 0; i < scales.Length; i++)
            scales[i] = View.Scale(i / GroupCount, i % GroupCount);
        for (int i = 0; i < zeroPoints.Length; i++)
            zeroPoints[i] = (byte)View.ZeroPoint(i / GroupCount, i % GroupCount);
        for (int i = 0; i < groupIndices.Length; i++)
            groupIndices[HasInputOrder ? InputOrder[i] : i] = i / Layout.GroupSize;
    }

    /// <summary>Writes scale (q - zero), or scale codebook[q], of every weight, with inputs in their own order.</summary>
    /// <param name="weights">[outputs, inputs], row-major; at least that many elements.</param>
    /// <exception cref="ArgumentException">The span has fewer elements.</exception>
    public void Dequantize(Span<float> weights)
    {
        Check.AtLeast(weights.Length, (long)OutputCount * InputCount, nameof(weights));
        using PackedLease lease = Acquire();
        fixed (float* first = weights)
            new UnpackJob<float>(View, first).Run(0, Layout.PanelCount);
    }

    /// <summary>Gives the memory back, once no call uses it any more; calls that begin afterwards get an <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _memory.Dispose();

    /// <summary>Keeps the packed bytes where they are until the lease ends.</summary>
    /// <exception cref="ObjectDisposedException">The weights were disposed.</exception>
    /// <exception cref="InvalidOperationException">Somebody has written over the order of inputs.</exception>
    internal PackedLease Acquire()
    {
        PackedLease lease = _memory.Acquire(this);
        // What addresses memory is looked at again wherever others can write: a pass over k numbers beside one over n k.
        if (!HasInputOrder || _memory.IsOwn || !new ReadOnlySpan<int>(InputOrder, InputCount).ContainsAnyExceptInRange(0, InputCount - 1))
            return lease;
        lease.Dispose();
        throw new InvalidOperationException(
            $"the memory of the packed weights was overwritten: its order of inputs has numbers that are not within 0 to {InputCount - 1}");
    }

    PackedLease IPackedWeights.Acquire() => Acquire();
}
