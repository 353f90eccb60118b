using ILGPU;
using Kernels.Core.Int8Decomposition;

namespace Kernels.Gpu;

/// <summary>
/// What ILGPU compiles of the quantisation of rows: q = round(x (127 / s)), s the largest magnitude below the limit, every operation that of
/// <see cref="AbsMaxRule"/>. Magnitudes are compared as the integers that their bits are: NaN stands above infinity, and both above every limit.
/// </summary>
internal static class Int8GpuQuantizer
{
    private const int MagnitudeBits = int.MaxValue, Byte = 8, LowByte = 255;

    /// <summary>One group a row: values and scale.</summary>
    /// <param name="activations">[rows, inputs] from <paramref name="firstRow"/> on.</param>
    /// <param name="rows">What is written.</param>
    /// <param name="shape">Of the weights.</param>
    /// <param name="limit">Everything below it in magnitude is quantised; infinity, or a positive number.</param>
    /// <param name="firstRow">The first row of the block.</param>
    public static void Quantize<TStorage, TElement>(ArrayView<TStorage> activations, Int8GpuRows rows, Int8GpuShape shape, float limit, long firstRow)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        int row = Grid.IdxX, limitBits = (int)Interop.FloatAsInt(limit), largest = 0;
        long start = (firstRow + row) * shape.InputCount;
        for (int input = Group.IdxX; input < shape.InputCount; input += Group.DimX)
        {
            int magnitude = Magnitude(TElement.Load(activations[start + input]));
            if (magnitude < limitBits && magnitude > largest)
                largest = magnitude;
        }
        float absMax = Interop.IntAsFloat((uint)GpuGroup.Largest(largest, SharedMemory.Allocate<int>(GpuGroup.MaxSize)));
        float raise = AbsMaxRule.RaiseOf(absMax), factor = absMax == 0 ? 0 : GpuOps.Divide(AbsMaxRule.LargestValue, absMax * raise);
        for (int step = Group.IdxX; step < shape.StepCount; step += Group.DimX)
            rows.Values[(long)row * shape.StepCount + step] = Word<TStorage, TElement>(activations, start, step, shape.InputCount, limitBits, raise, factor);
        if (Group.IdxX == 0)
            rows.Scales[row] = ScaleOf(absMax);
    }

    /// <summary>
    /// One group a row: outlier columns and what stands in them. Each thread lists those of consecutive inputs, behind those of the threads before it, so that
    /// the list is ascending.
    /// </summary>
    /// <param name="activations">[rows, inputs] from <paramref name="firstRow"/> on.</param>
    /// <param name="rows">What is written.</param>
    /// <param name="shape">Of the weights.</param>
    /// <param name="limit">What is not below it in magnitude is an outlier; infinity, or a positive number.</param>
    /// <param name="firstRow">The first row of the block.</param>
    public static void ListOutliers<TStorage, TElement>(ArrayView<TStorage> activations, Int8GpuRows rows, Int8GpuShape shape, float limit, long firstRow)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        ArrayView<int> counts = SharedMemory.Allocate<int>(GpuGroup.MaxSize);
        int row = Grid.IdxX, limitBits = (int)Interop.FloatAsInt(limit);
        long start = (firstRow + row) * shape.InputCount, place = (long)row * shape.InputCount;
        int length = (shape.InputCount + Group.DimX - 1) / Group.DimX, first = Group.IdxX * length, end = IntrinsicMath.Min(first + length, shape.InputCount),
            own = 0;
        for (int input = first; input < end; input++)
            own += Magnitude(TElement.Load(activations[start + input])) >= limitBits ? 1 : 0;
        counts[Group.IdxX] = own;
        GpuOps.Barrier();
        int before = 0;
        for (int thread = 0; thread < Group.IdxX; thread++)
            before += counts[thread];
        if (Group.IdxX == Group.DimX - 1)
            rows.OutlierCounts[row] = before + own;
        place += before;
        for (int input = first; own > 0 && input < end; input++)
        {
            float value = TElement.Load(activations[start + input]);
            if (Magnitude(value) < limitBits)
                continue;
            rows.Outliers[place] = input;
            rows.OutlierValues[place] = value;
            place++;
        }
    }

    // absmax / 127. The corrected quotient needs normal numbers: smaller ones are raised first and, where the quotient is normal, lowered again, both exactly.
    private static float ScaleOf(float absMax)
    {
        const float small = 1.0842022e-19f, raise = 1.8446744e19f, lower = 1 / raise; // 2^-63, 2^64
        return absMax >= small ? GpuOps.Divide(absMax, AbsMaxRule.LargestValue) : GpuOps.Divide(absMax * raise, AbsMaxRule.LargestValue) * lower;
    }

    // Four inputs of a row; 0 where they are outliers or beyond its end.
    private static int Word<TStorage, TElement>(ArrayView<TStorage> activations, long start, int step, int inputCount, int limitBits, float raise, float factor)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        int word = 0;
        for (int i = 0; i < Int8GpuShape.LaneInputs; i++)
        {
            int input = step * Int8GpuShape.LaneInputs + i;
            float x = input < inputCount ? TElement.Load(activations[start + input]) : 0;
            if (Magnitude(x) < limitBits)
                word |= (GpuOps.RoundToInt(x * raise * factor) & LowByte) << Byte * i;
        }
        return word;
    }

    private static int Magnitude(float x) => (int)Interop.FloatAsInt(x) & MagnitudeBits;
}
