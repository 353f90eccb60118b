using System.Runtime.InteropServices;
using Kernels.Core.Checks;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;

namespace Kernels;

/// <summary>
/// A weight matrix W[outputs, inputs] in eight bits with one scale for each output, packed once in the layout that all kernels read. Immutable: any number of
/// threads may multiply with it at a time.
/// </summary>
/// <remarks>
/// W = q absmax / 127 with absmax the largest magnitude of an output's weights: the vector-wise quantisation of LLM.int8() (arXiv 2208.07339, section 3.1). Takes one byte for
/// each weight and 8 for each output; outputs are padded to a multiple of 32 and inputs to a multiple of 4.
/// </remarks>
public sealed unsafe class Int8Weights
{
    /// <summary>The most inputs, 133,144: sums of so many products of values within ±127 are the last that fit 32 bits.</summary>
    public const int LargestInputCount = Int8WeightsLayout.LargestInputCount;

    // On the pinned heap, so that the address within stays aligned.
    private readonly byte[] _bytes;
    private readonly byte* _start;
    private readonly float[] _absMax;

    private Int8Weights(Int8WeightsLayout layout, float[] absMax, int largestMagnitude)
    {
        Layout = layout;
        LargestMagnitude = largestMagnitude;
        _absMax = absMax;
        _bytes = GC.AllocateArray<byte>((int)layout.ByteCount + Int8WeightsLayout.Alignment, pinned: true);
        var address = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);
        _start = (byte*)((address + Int8WeightsLayout.Alignment - 1) & -Int8WeightsLayout.Alignment);
        for (int output = 0; output < absMax.Length; output++)
            Factors[output] = absMax[output] / AbsMaxRule.LargestValue;
    }

    /// <summary>n, the number of outputs.</summary>
    public int OutputCount => Layout.OutputCount;

    /// <summary>k, the number of inputs.</summary>
    public int InputCount => Layout.InputCount;

    /// <summary>The largest magnitude of each output's weights: bitsandbytes' SCB.</summary>
    public ReadOnlySpan<float> AbsMax => _absMax;

    /// <summary>The bytes of the packed matrix: values, factors and sums with their padding.</summary>
    public long ByteCount => Layout.ByteCount;

    internal Int8WeightsLayout Layout { get; }

    /// <summary>128 if a value is -128, else 127.</summary>
    internal int LargestMagnitude { get; }

    /// <summary>The packed values; valid while this object is alive, as are the factors and sums.</summary>
    internal byte* Panels => _start;

    internal float* Factors => (float*)(_start + Layout.FactorOffset);

    internal int* Sums => (int*)(_start + Layout.SumOffset);

    /// <summary>Quantises float weights: q = round(w (127 / absmax)), ties to even.</summary>
    /// <param name="weights">[outputCount, inputCount], row-major, as a torch Linear keeps them; finite. bitsandbytes rounds weights to f16 first: to get its integers, pass weights so rounded.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, 1 to <see cref="LargestInputCount"/>.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    /// <exception cref="ArgumentException">Sizes disagree or are out of range, or a weight is not finite.</exception>
    public static Int8Weights Pack(ReadOnlySpan<float> weights, int outputCount, int inputCount, KernelOptions options = default)
    {
        Int8WeightsLayout layout = LayoutOf(outputCount, inputCount);
        Check.Exactly(weights.Length, (long)outputCount * inputCount, nameof(weights));
        int threads = ThreadCount(layout, options);
        var absMax = new float[outputCount];
        fixed (float* source = weights, largest = absMax)
        {
            RangeRunner.Run(new Int8AbsMaxJob(source, largest, inputCount), outputCount, grain: Int8WeightsLayout.PanelColumns, threads, options.CancellationToken);
            CheckFinite(weights, absMax, inputCount);
            var packed = new Int8Weights(layout, absMax, sbyte.MaxValue);
            RangeRunner.Run(new Int8WeightsPackJob<float>(layout, packed.Panels, source, largest), layout.PanelCount, grain: 1, threads, options.CancellationToken);
            return packed;
        }
    }

    /// <summary>Packs weights that are quantised already.</summary>
    /// <param name="values">q, [outputCount, inputCount], row-major; -128 is taken as well, though no quantiser here makes it.</param>
    /// <param name="absMax">[outputCount]: the weight that 127 stands for; finite, not negative.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, 1 to <see cref="LargestInputCount"/>.</param>
    /// <param name="options">Threads and cancellation; no variants.</param>
    /// <exception cref="ArgumentException">Sizes disagree or are out of range, or a number in <paramref name="absMax"/> is.</exception>
    public static Int8Weights FromQuantized(ReadOnlySpan<sbyte> values, ReadOnlySpan<float> absMax, int outputCount, int inputCount, KernelOptions options = default)
    {
        Int8WeightsLayout layout = LayoutOf(outputCount, inputCount);
        Check.Exactly(values.Length, (long)outputCount * inputCount, nameof(values));
        Check.Exactly(absMax.Length, outputCount, nameof(absMax));
        Int8DecompositionChecks.AbsMax(absMax, nameof(absMax));
        int threads = ThreadCount(layout, options);
        var packed = new Int8Weights(layout, absMax.ToArray(), values.Contains(sbyte.MinValue) ? -sbyte.MinValue : sbyte.MaxValue);
        fixed (sbyte* source = values)
            RangeRunner.Run(new Int8WeightsPackJob<sbyte>(layout, packed.Panels, source, null), layout.PanelCount, grain: 1, threads, options.CancellationToken);
        return packed;
    }

    /// <summary>Writes q absmax / 127 of every weight.</summary>
    /// <param name="weights">[outputs, inputs], row-major; at least that many elements.</param>
    /// <exception cref="ArgumentException">The span has fewer elements.</exception>
    public void Dequantize(Span<float> weights)
    {
        Check.AtLeast(weights.Length, (long)OutputCount * InputCount, nameof(weights));
        for (int output = 0; output < OutputCount; output++)
        {
            byte* start = _start + Layout.Start(output);
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
        for (int output = 0; output < OutputCount; output++)
        {
            byte* start = _start + Layout.Start(output);
            for (int input = 0; input < InputCount; input++)
                values[output * InputCount + input] = (sbyte)start[Int8WeightsLayout.Offset(input)];
        }
    }

    private static Int8WeightsLayout LayoutOf(int outputCount, int inputCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputCount, 1);
        if (inputCount > LargestInputCount)
            throw new ArgumentOutOfRangeException(nameof(inputCount), inputCount, $"sums of more than {LargestInputCount} products of eight-bit values may exceed 32 bits");
        var layout = new Int8WeightsLayout(outputCount, inputCount);
        if (layout.ByteCount > Array.MaxLength - Int8WeightsLayout.Alignment)
            throw new ArgumentOutOfRangeException(nameof(outputCount), outputCount, $"{layout.ByteCount} packed bytes exceed what an array can hold");
        return layout;
    }

    private static int ThreadCount(in Int8WeightsLayout layout, in KernelOptions options)
    {
        // A thread is worth waking for about a tenth of a millisecond of packing, which takes a few weights in a nanosecond.
        const long parallelWeights = 1 << 19;
        Check.Kernel(options);
        return options.MaxDegreeOfParallelism > 0 ? options.MaxDegreeOfParallelism
            : (long)layout.OutputCount * layout.InputCount < parallelWeights ? 1 : MachineInfo.Current.ProcessorCount;
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
