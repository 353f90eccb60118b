using ILGPU;

namespace Kernels.Gpu;

/// <summary>
/// What ILGPU compiles. Pass 1 sums exponentials as pairs (value, exponent), pass 2 scales each exponential by the sum: two reads and one write of a row.
/// A group takes a row, or, of a row longer than <c>chunkLength</c>, one chunk of it; then a kernel between the passes merges the chunks' sums.
/// </summary>
/// <remarks>
/// Groups have a power of two of threads, at most <see cref="GpuGroup.MaxSize"/>. Thread t of a group of g takes the elements t, t + g, t + 2g ... of its part,
/// so that neighbouring threads read neighbouring addresses. Shared memory and barriers only: warp shuffles do not exist on every OpenCL device.
/// </remarks>
internal static class SoftmaxGpuKernels
{
    /// <summary>Both passes over whole rows, one group a row: row = group index.</summary>
    public static void Rows<TStorage, TElement, TOutput>(ArrayView<TStorage> logits, ArrayView<TStorage> output, SoftmaxGpuRows rows)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage> where TOutput : struct, ISoftmaxGpuOutput
    {
        long row = Grid.IdxX, start = row * rows.RowLength;
        int length = rows.LengthOf(row);
        ExtendedSum sum = SumGroup<TStorage, TElement>(logits, start, length, rows.Scale, SharedMemory.Allocate<ExtendedSum>(GpuGroup.MaxSize));
        Write<TStorage, TElement, TOutput>(logits, output, start, rows.RowLength, length, sum, rows);
    }

    /// <summary>log sum exp of whole rows, one group a row.</summary>
    public static void RowLogSumExps<TStorage, TElement>(ArrayView<TStorage> logits, ArrayView<TStorage> output, SoftmaxGpuRows rows)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        long row = Grid.IdxX;
        ExtendedSum sum = SumGroup<TStorage, TElement>(
            logits, row * rows.RowLength, rows.LengthOf(row), rows.Scale, SharedMemory.Allocate<ExtendedSum>(GpuGroup.MaxSize));
        if (Group.IdxX == 0)
            output[row] = TElement.Store(SoftmaxGpuLogProbabilities.LogSumExp(sum));
    }

    /// <summary>Pass 1 of chunked rows: sums[c] of chunk c = group index, counted through the rows from <paramref name="firstRow"/> on.</summary>
    public static void SumChunks<TStorage, TElement>(ArrayView<TStorage> logits, ArrayView<ExtendedSum> sums, SoftmaxGpuRows rows, long firstRow,
        int chunkLength, int chunksPerRow)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        int chunk = Grid.IdxX % chunksPerRow;
        long row = firstRow + Grid.IdxX / chunksPerRow;
        long begin = (long)chunk * chunkLength;
        int length = Remaining(rows.LengthOf(row) - begin, chunkLength);
        ExtendedSum sum = SumGroup<TStorage, TElement>(
            logits, row * rows.RowLength + begin, length, rows.Scale, SharedMemory.Allocate<ExtendedSum>(GpuGroup.MaxSize));
        if (Group.IdxX == 0)
            sums[Grid.IdxX] = sum;
    }

    /// <summary>Between the passes, one group a row: the sum of a row's chunks, left in the place of the first.</summary>
    public static void MergeChunks(ArrayView<ExtendedSum> sums, int chunksPerRow)
    {
        ExtendedSum sum = MergeRow(sums, chunksPerRow, SharedMemory.Allocate<ExtendedSum>(GpuGroup.MaxSize));
        if (Group.IdxX == 0)
            sums[(long)Grid.IdxX * chunksPerRow] = sum;
    }

    /// <summary>In the place of pass 2, one group a row: the log sum exp from the sums of a row's chunks.</summary>
    public static void ChunkLogSumExps<TStorage, TElement>(ArrayView<ExtendedSum> sums, ArrayView<TStorage> output, long firstRow, int chunksPerRow)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        ExtendedSum sum = MergeRow(sums, chunksPerRow, SharedMemory.Allocate<ExtendedSum>(GpuGroup.MaxSize));
        if (Group.IdxX == 0)
            output[firstRow + Grid.IdxX] = TElement.Store(SoftmaxGpuLogProbabilities.LogSumExp(sum));
    }

    /// <summary>Pass 2 of chunked rows, one group a chunk.</summary>
    public static void WriteChunks<TStorage, TElement, TOutput>(
        ArrayView<TStorage> logits, ArrayView<TStorage> output, ArrayView<ExtendedSum> sums, SoftmaxGpuRows rows, long firstRow, int chunkLength,
        int chunksPerRow)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage> where TOutput : struct, ISoftmaxGpuOutput
    {
        int group = Grid.IdxX, chunk = group % chunksPerRow;
        long row = firstRow + group / chunksPerRow, begin = (long)chunk * chunkLength;
        int length = Remaining(rows.RowLength - begin, chunkLength);
        int visible = Remaining(rows.LengthOf(row) - begin, chunkLength);
        Write<TStorage, TElement, TOutput>(logits, output, row * rows.RowLength + begin, length, visible, sums[(long)(group - chunk)], rows);
    }

    private static int Remaining(long count, int chunkLength) => count < 0 ? 0 : count < chunkLength ? (int)count : chunkLength;

    // Positions from visible on are outside the row's length: whatever stands there counts as minus infinity.
    private static void Write<TStorage, TElement, TOutput>(
        ArrayView<TStorage> logits, ArrayView<TStorage> output, long start, int length, int visible, ExtendedSum sum, SoftmaxGpuRows rows)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage> where TOutput : struct, ISoftmaxGpuOutput
    {
        SoftmaxGpuRow row = TOutput.Prepare(sum, rows.Safe);
        for (int i = Group.IdxX; i < length; i += Group.DimX)
        {
            float z = i < visible ? TElement.Load(logits[start + i]) * rows.Scale : float.NegativeInfinity;
            output[start + i] = TElement.Store(TOutput.Apply(z, row));
        }
    }

    // The sum of a part, in every thread of the group.
    private static ExtendedSum SumGroup<TStorage, TElement>(ArrayView<TStorage> logits, long start, int length, float scale, ArrayView<ExtendedSum> shared)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        ExtendedSum sum = MergeGroup(SumThread<TStorage, TElement>(logits, start, length, scale, 0f), shared);
        if (!sum.NeedsShift)
            return sum;
        float largest = LargestOfGroup<TStorage, TElement>(logits, start, length, scale, SharedMemory.Allocate<float>(GpuGroup.MaxSize));
        if (largest == float.NegativeInfinity)
            return ExtendedSum.Empty;
        if (largest == float.PositiveInfinity)
            return ExtendedSum.Infinite;
        return MergeGroup(SumThread<TStorage, TElement>(logits, start, length, scale, largest), shared);
    }

    // Kahan's compensated sum: the error does not grow with the number of terms. Scaling by powers of two leaves it exact.
    private static ExtendedSum SumThread<TStorage, TElement>(ArrayView<TStorage> logits, long start, int length, float scale, float shift)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        float value = 0f, excess = 0f, exponent = float.NegativeInfinity;
        for (int i = Group.IdxX; i < length; i += Group.DimX)
        {
            var term = new ExtendedExp(TElement.Load(logits[start + i]) * scale - shift);
            float distance = term.Exponent - exponent;
            bool rises = distance > 0f;
            float weight = ExtendedSum.Weight(rises ? distance : -distance);
            float kept = rises ? weight : 1f;
            float added = rises ? term.Mantissa : term.Mantissa * weight;
            exponent = rises ? term.Exponent : exponent;
            value *= kept;
            added -= excess * kept;
            float sum = value + added;
            excess = sum - value - added;
            value = sum;
        }
        return new ExtendedSum(value, exponent, value == 0f ? float.NegativeInfinity : shift);
    }

    private static ExtendedSum MergeRow(ArrayView<ExtendedSum> sums, int chunksPerRow, ArrayView<ExtendedSum> shared)
    {
        long first = (long)Grid.IdxX * chunksPerRow;
        ExtendedSum sum = ExtendedSum.Empty;
        for (int chunk = Group.IdxX; chunk < chunksPerRow; chunk += Group.DimX)
            sum = ExtendedSum.Merge(sum, sums[first + chunk]);
        return MergeGroup(sum, shared);
    }

    private static ExtendedSum MergeGroup(ExtendedSum own, ArrayView<ExtendedSum> shared)
    {
        int thread = Group.IdxX;
        shared[thread] = own;
        GpuOps.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (thread < half)
                shared[thread] = ExtendedSum.Merge(shared[thread], shared[thread + half]);
            GpuOps.Barrier();
        }
        ExtendedSum merged = shared[0];
        GpuOps.Barrier();
        return merged;
    }

    private static float LargestOfGroup<TStorage, TElement>(ArrayView<TStorage> logits, long start, int length, float scale, ArrayView<float> shared)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        int thread = Group.IdxX;
        float largest = float.NegativeInfinity;
        for (int i = thread; i < length; i += Group.DimX)
        {
            float z = TElement.Load(logits[start + i]) * scale;
            largest = z > largest ? z : largest;
        }
        shared[thread] = largest;
        GpuOps.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (thread < half && shared[thread + half] > shared[thread])
                shared[thread] = shared[thread + half];
            GpuOps.Barrier();
        }
        return shared[0];
    }
}
