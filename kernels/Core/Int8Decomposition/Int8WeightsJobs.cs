using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.Threading;

namespace Kernels.Core.Int8Decomposition;

/// <summary>
/// Finds the largest magnitude of each output's weights. Magnitudes are compared as the integers that their bits are: NaN and infinity stand above all others
/// and are found.
/// </summary>
internal readonly unsafe struct Int8AbsMaxJob(float* weights, float* absMax, int inputCount) : IRangeJob
{
    private readonly float* _weights = weights;
    private readonly float* _absMax = absMax;
    private readonly int _inputCount = inputCount;

    public void Run(long begin, long end)
    {
        for (long output = begin; output < end; output++)
            _absMax[output] = BitConverter.Int32BitsToSingle(Largest((int*)_weights + output * _inputCount, _inputCount));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Largest(int* bits, int count)
    {
        const int magnitude = int.MaxValue;
        Vector256<int> largest = Vector256<int>.Zero;
        int i = 0;
        for (; i + Vector256<int>.Count <= count; i += Vector256<int>.Count)
            largest = Vector256.Max(largest, Vector256.Load(bits + i) & Vector256.Create(magnitude));
        int found = 0;
        for (int lane = 0; lane < Vector256<int>.Count; lane++)
            found = Math.Max(found, largest.GetElement(lane));
        for (; i < count; i++)
            found = Math.Max(found, bits[i] & magnitude);
        return found;
    }
}

/// <summary>Packs panels of 32 outputs: from floats by <see cref="AbsMaxRule"/>, or integers as they are.</summary>
/// <typeparam name="TElement">float or sbyte.</typeparam>
internal readonly unsafe struct Int8WeightsPackJob<TElement>(in Int8WeightsLayout layout, byte* packed, TElement* weights, float* absMax) : IRangeJob
    where TElement : unmanaged
{
    // Values of an output that are made before they are put where they belong: on the stack.
    private const int Chunk = 1024;

    private readonly Int8WeightsLayout _layout = layout;
    private readonly byte* _packed = packed;
    private readonly TElement* _weights = weights;
    private readonly float* _absMax = absMax;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        sbyte* values = stackalloc sbyte[Chunk];
        int last = (int)Math.Min(end * Int8WeightsLayout.PanelColumns, _layout.OutputCount);
        for (int output = (int)begin * Int8WeightsLayout.PanelColumns; output < last; output++)
        {
            TElement* row = _weights + (long)output * _layout.InputCount;
            byte* start = _packed + _layout.Start(output);
            int sum = 0;
            for (int first = 0; first < _layout.InputCount; first += Chunk)
            {
                int count = Math.Min(Chunk, _layout.InputCount - first);
                sbyte* chunk = values;
                if (typeof(TElement) == typeof(float))
                    Quantize((float*)(row + first), count, _absMax[output], values);
                else
                    chunk = (sbyte*)(row + first);
                sum += Place(chunk, count, start + Int8WeightsLayout.Offset(first));
            }
            ((int*)(_packed + _layout.SumOffset))[output] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Quantize(float* source, int count, float absMax, sbyte* values)
    {
        (float raise, float factor) = AbsMaxRule.FactorsOf(absMax);
        int i = 0;
        for (; i + Vector256<short>.Count <= count; i += Vector256<short>.Count)
        {
            Vector256<short> shorts = Vector256.Narrow(Rounded(source + i, raise, factor), Rounded(source + i + Vector256<float>.Count, raise, factor));
            Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).Store(values + i);
        }
        for (; i < count; i++)
            values[i] = AbsMaxRule.Quantize(source[i], raise, factor);
    }

    // Magnitudes are at most 127: the conversion is exact on every machine.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Rounded(float* source, float raise, float factor) =>
        Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(source) * Vector256.Create(raise) * Vector256.Create(factor)));

    /// <summary>Puts values into the lanes of an output, and returns their sum.</summary>
    private static int Place(sbyte* values, int count, byte* lane)
    {
        const int lanes = Int8WeightsLayout.LaneInputs;
        int sum = 0, i = 0;
        for (; i + lanes <= count; i += lanes, lane += Int8WeightsLayout.StepBytes)
        {
            *(int*)lane = *(int*)(values + i);
            sum += values[i] + values[i + 1] + values[i + 2] + values[i + 3];
        }
        for (int rest = 0; i < count; i++, rest++)
        {
            lane[rest] = (byte)values[i];
            sum += values[i];
        }
        return sum;
    }
}
