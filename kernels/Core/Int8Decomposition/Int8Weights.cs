using Kernels.Core.Checks;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Tensors;
using Kernels.Core.Threading;

namespace Kernels;

/// <summary>
/// A weight matrix W[outputs, inputs] in eight bits with one scale for each output, packed once in the layout that all kernels read. Immutable: any number of
/// threads may multiply with it at a time.
/// </summary>
/// <remarks>
/// W = q absmax / 127 with absmax the largest magnitude of an output's weights: the vector-wise quantisation of LLM.int8() (arXiv 2208.07339, section 3.1).
/// Takes one byte for each weight and 12 for each output; outputs are padded to a multiple of 32 and inputs to a multiple of 4. The bytes lie in a
/// <see cref="PackedMemory"/>, which the weights own: pages of their own unless another was given. They are freed by <see cref="Dispose"/>, or when they are
/// garbage.
/// </remarks>
public sealed unsafe partial class Int8Weights : IPackedWeights, IDisposable
{
    /// <summary>The most inputs, 133,144: sums of so many products of values within ±127 are the last that fit 32 bits.</summary>
    public const int LargestInputCount = Int8WeightsLayout.LargestInputCount;

    private readonly PackedMemory _memory;

    private Int8Weights(in Int8WeightsLayout layout, PackedMemory memory, int largestMagnitude)
    {
        Layout = layout;
        LargestMagnitude = largestMagnitude;
        _memory = memory;
    }

    /// <summary>n, the number of outputs.</summary>
    public int OutputCount => Layout.OutputCount;

    /// <summary>k, the number of inputs.</summary>
    public int InputCount => Layout.InputCount;

    /// <summary>The bytes of the packed matrix: values, factors, sums and largest magnitudes with their padding.</summary>
    public long ByteCount => Layout.ByteCount;

    internal Int8WeightsLayout Layout { get; }

    /// <summary>128 if a value is -128, else 127.</summary>
    internal int LargestMagnitude { get; }

    /// <summary>The packed values; valid while a lease of <see cref="Acquire"/> is held, as are the factors, sums and largest magnitudes.</summary>
    internal byte* Panels => _memory.Start;

    internal float* Factors => (float*)(Panels + Layout.FactorOffset);

    internal int* Sums => (int*)(Panels + Layout.SumOffset);

    private Span<float> AbsMax => new(Panels + Layout.AbsMaxOffset, OutputCount);

    /// <summary>Quantises float weights: q = round(w (127 / absmax)), ties to even.</summary>
    /// <param name="weights">[outputCount, inputCount], row-major, as a torch Linear keeps them; finite. bitsandbytes rounds weights to f16 first: to get its
    /// integers, pass weights so rounded.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, 1 to <see cref="LargestInputCount"/>.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    /// <param name="destination">Where the packed bytes will lie, which the weights then own: as many as <see cref="PackedByteCount"/> says; null (the default)
    /// for pages of their own.</param>
    /// <exception cref="ArgumentException">Sizes disagree or are out of range, a weight is not finite, or an output's largest one, above 0, is so small that
    /// 1/127 of it is no float (below 9e-44): it would be an output of zeros.</exception>
    public static Int8Weights Pack(ReadOnlySpan<float> weights, int outputCount, int inputCount, KernelOptions options = default,
        PackedMemory? destination = null)
    {
        Int8WeightsLayout layout = LayoutOf(outputCount, inputCount);
        Check.Exactly(weights.Length, (long)outputCount * inputCount, nameof(weights));
        int threads = ThreadCount(layout, options);
        var absMax = new float[outputCount];
        fixed (float* source = weights, largest = absMax)
        {
            RangeRunner.Run(new Int8AbsMaxJob(source, largest, inputCount), outputCount, grain: Int8WeightsLayout.PanelColumns, threads,
                options.CancellationToken);
            CheckFinite(weights, absMax, inputCount);
            CheckScales(absMax, nameof(weights));
            Int8Weights packed = Prepare(layout, absMax, sbyte.MaxValue, destination);
            using PackedLease lease = packed.Acquire();
            RangeRunner.Run(new Int8WeightsPackJob<float>(layout, packed.Panels, source, largest), layout.PanelCount, grain: 1, threads,
                options.CancellationToken);
            return packed;
        }
    }

    /// <summary>Packs weights that are quantised already.</summary>
    /// <param name="values">q, [outputCount, inputCount], row-major; -128 is taken as well, though no quantiser here makes it.</param>
    /// <param name="absMax">[outputCount]: the weight that 127 stands for; finite, not negative.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, 1 to <see cref="LargestInputCount"/>.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    /// <param name="destination">Where the packed bytes will lie, which the weights then own: as many as <see cref="PackedByteCount"/> says; null (the default)
    /// for pages of their own.</param>
    /// <exception cref="ArgumentException">Sizes disagree or are out of range, or a number in <paramref name="absMax"/> is, or is above 0 and 1/127 of it is
    /// not.</exception>
    public static Int8Weights FromQuantized(
        ReadOnlySpan<sbyte> values, ReadOnlySpan<float> absMax, int outputCount, int inputCount, KernelOptions options = default,
        PackedMemory? destination = null)
    {
        Int8WeightsLayout layout = LayoutOf(outputCount, inputCount);
        Check.Exactly(values.Length, (long)outputCount * inputCount, nameof(values));
        Check.Exactly(absMax.Length, outputCount, nameof(absMax));
        Int8DecompositionChecks.AbsMax(absMax, nameof(absMax));
        CheckScales(absMax, nameof(absMax));
        int threads = ThreadCount(layout, options);
        Int8Weights packed = Prepare(layout, absMax, values.Contains(sbyte.MinValue) ? -sbyte.MinValue : sbyte.MaxValue, destination);
        using PackedLease lease = packed.Acquire();
        fixed (sbyte* source = values)
            RangeRunner.Run(new Int8WeightsPackJob<sbyte>(layout, packed.Panels, source, null), layout.PanelCount, grain: 1, threads,
                options.CancellationToken);
        return packed;
    }

    /// <summary>Writes q absmax / 127 of every weight.</summary>
    /// <param name="weights">[outputs, inputs], row-major; at least that many elements.</param>
    /// <exception cref="ArgumentException">The span has fewer elements.</exception>
    public void Dequantize(Span<float> weights)
    {
        Check.AtLeast(weights.Length, (long)OutputCount * InputCount, nameof(weights));
        using PackedLease lease = Acquire();
        for (int output = 0; output < OutputCount; output++)
        {
            byte* start = lease.Start + Layout.Start(output);
            for (int input = 0; input < InputCount; input++)
                weights[output * InputCount + input] = (sbyte)start[Int8WeightsLayout.Offset(input)] * Factors[output];
        }
    }

    /// <summary>Writes q of every weight: the inverse of <see cref="FromQuantized"/>.</summary>
    /// <param name="values">[outputs, inputs], row-major; at least that many elements.</param>
    /// <exception cref="ArgumentException">The span has fewer elements.</exception>
    public void CopyValuesTo(Span<sbyte> values)
    {
        Check.AtLeast(values.Length, (long)OutputCount * InputCount, nameof(values));
        using PackedLease lease = Acquire();
        for (int output = 0; output < OutputCount; output++)
        {
            byte* start = lease.Start + Layout.Start(output);
            for (int input = 0; input < InputCount; input++)
                values[output * InputCount + input] = (sbyte)start[Int8WeightsLayout.Offset(input)];
        }
    }

    /// <summary>Writes the largest magnitude of each output's weights: bitsandbytes' SCB.</summary>
    /// <param name="absMax">[outputs]; at least that many elements.</param>
    /// <exception cref="ArgumentException">The span has fewer elements.</exception>
    public void CopyAbsMaxTo(Span<float> absMax)
    {
        Check.AtLeast(absMax.Length, OutputCount, nameof(absMax));
        using PackedLease lease = Acquire();
        AbsMax.CopyTo(absMax);
    }

    /// <summary>Gives the memory back, once no call uses it any more; calls that begin afterwards get an <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _memory.Dispose();

    /// <summary>Keeps the packed bytes where they are until the lease ends.</summary>
    /// <exception cref="ObjectDisposedException">The weights were disposed.</exception>
    internal PackedLease Acquire() => _memory.Acquire(this);

    PackedLease IPackedWeights.Acquire() => Acquire();

    private static Int8Weights Prepare(in Int8WeightsLayout layout, ReadOnlySpan<float> absMax, int largestMagnitude, PackedMemory? destination)
    {
        var weights = new Int8Weights(layout, PackedMemory.Prepare(destination, layout.ByteCount, nameof(destination)), largestMagnitude);
        using PackedLease lease = weights.Acquire();
        absMax.CopyTo(weights.AbsMax);
        for (int output = 0; output < absMax.Length; output++)
            weights.Factors[output] = absMax[output] / AbsMaxRule.LargestValue;
        return weights;
    }

    private static Int8WeightsLayout LayoutOf(int outputCount, int inputCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputCount, 1);
        if (inputCount > LargestInputCount)
            throw new ArgumentOutOfRangeException(nameof(inputCount), inputCount,
                $"sums of more than {LargestInputCount} products of eight-bit values may exceed 32 bits");
        var layout = new Int8WeightsLayout(outputCount, inputCount);
        if (layout.ByteCount > Array.MaxLength - PackedMemory.Alignment)
            throw new ArgumentOutOfRangeException(nameof(outputCount), outputCount, $"{layout.ByteCount} packed bytes exceed what an array can hold");
        return layout;
    }

    private static int ThreadCount(in Int8WeightsLayout layout, in KernelOptions options)
    {
        // A thread is worth waking for about a tenth of a millisecond of packing, which takes a few weights in a nanosecond.
        const long parallelWeights = 1 << 19;
        Check.KernelWithoutVariants(options, "packing weights");
        return ThreadPolicy.Threads((long)layout.OutputCount * layout.InputCount, parallelWeights, options);
    }

    private static void CheckScales(ReadOnlySpan<float> absMax, string name)
    {
        for (int output = 0; output < absMax.Length; output++)
        {
            if (absMax[output] > 0 && absMax[output] / AbsMaxRule.LargestValue == 0)
                throw new ArgumentException($"the largest magnitude of output {output} is {absMax[output]}, of which 1/127 is no float: the output would be " +
                    $"zeros", name);
        }
    }

    private static void CheckFinite(ReadOnlySpan<float> weights, float[] absMax, int inputCount)
    {
        int output = Array.FindIndex(absMax, largest => !float.IsFinite(largest));
        if (output < 0)
            return;
        ReadOnlySpan<float> row = weights.Slice(output * inputCount, inputCount);
        int input = 0;
        while (float.IsFinite(row[input]))
            input++;
        throw new ArgumentException($"the weight of output {output}, input {input} is {row[input]}: finite numbers are needed", nameof(weights));
    }
}
