using ILGPU;

namespace Kernels.Gpu;

/// <summary>
/// What ILGPU compiles of mixed-precision products. The arithmetic is that of the CPU's exact product, operation by operation: a (q - zero) is summed over a
/// segment of at most 128 inputs in their order, fused; then sums += scale s, fused, segment after segment; then the bias, and one rounding. So the bits are
/// the same.
/// </summary>
internal static class GemmGpuKernels
{
    /// <summary>Rows and outputs of a thread: weights are unpacked once for four rows, and both sides are read by 16 bytes.</summary>
    public const int TileRows = 4, TileColumns = 4;

    /// <summary>Outputs of a group of <see cref="Rows"/>: neighbouring threads read neighbouring lanes, 128 bytes at once.</summary>
    public const int RowLanes = 32;

    /// <summary>
    /// Activations as the products read them: floats, in the order of the packed inputs, zeros between groups and behind the last row. One thread an element.
    /// </summary>
    /// <param name="element">Of padded[rows, padded inputs].</param>
    /// <param name="activations">[rows, inputs] from <paramref name="firstRow"/> on.</param>
    /// <param name="order">Packed input i is input order[i]; not read where inputs stand in their own order.</param>
    /// <param name="padded">[rows rounded up to <see cref="TileRows"/>, padded inputs].</param>
    /// <param name="shape">Of the weights.</param>
    /// <param name="firstRow">The first row of the block.</param>
    /// <param name="rowCount">Rows of the block.</param>
    public static void Gather<TStorage, TElement>(
        Index1D element, ArrayView<TStorage> activations, ArrayView<int> order, ArrayView<float> padded, GemmGpuShape shape, long firstRow, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        int row = element / shape.PaddedInputCount;
        int place = element % shape.PaddedInputCount, paddedGroup = shape.StepsPerGroup * GemmGpuShape.StepInputs;
        int group = place / paddedGroup, inGroup = place % paddedGroup;
        float value = 0;
        if (row < rowCount && inGroup < shape.GroupSize)
        {
            int input = group * shape.GroupSize + inGroup;
            if (shape.HasInputOrder)
                input = order[input];
            value = TElement.Load(activations[(firstRow + row) * shape.InputCount + input]);
        }
        padded[element] = value;
    }

    /// <summary>
    /// Four rows and four outputs a thread, each with all inputs. Thread t takes outputs 4 (t mod quads) and rows 4 (t div quads), so that a warp reads the
    /// weights of neighbouring outputs and the same activations.
    /// </summary>
    public static void Tile<TStorage, TElement, TFormat>(
        Index1D thread, ArrayView<Float4> activations, GemmGpuWeights weights, ArrayView<float> bias, ArrayView<TStorage> output, GemmGpuShape shape,
        long firstRow, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage> where TFormat : struct, IGemmGpuFormat
    {
        int quads = shape.PanelCount * (GemmGpuShape.PanelColumns / TileColumns);
        int firstOutput = thread % quads * TileColumns, tileRow = thread / quads * TileRows;
        ArrayView<Int4> lanes = weights.Lanes.Cast<Int4>();
        long rowQuads = shape.PaddedInputCount / 4, a = tileRow * rowQuads;
        Float4 sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        for (int group = 0; group < shape.GroupCount; group++)
        {
            Float4 scale = Scales(weights, shape, firstOutput, group), zero = Zeros(weights, shape, firstOutput, group);
            int step = group * shape.StepsPerGroup, groupEnd = step + shape.StepsPerGroup;
            while (step < groupEnd)
            {
                int segmentEnd = IntrinsicMath.Min(step + GemmGpuShape.LargestSegmentSteps, groupEnd);
                Float4 s0 = default, s1 = default, s2 = default, s3 = default;
                for (; step < segmentEnd; step++)
                {
                    long word = LaneQuad<TFormat>(shape, firstOutput, step);
                    Int4 first = lanes[word], second = TFormat.WordsPerStep == 2 ? lanes[word + GemmGpuShape.PanelColumns / TileColumns] : first;
                    for (int half = 0; half < 2; half++)
                    {
                        long at = a + 2L * step + half;
                        Float4 a0 = activations[at], a1 = activations[at + rowQuads], a2 = activations[at + 2 * rowQuads], a3 = activations[at + 3 * rowQuads];
                        Float4 w = Weights<TFormat>(first, second, 4 * half, weights.Codebook) - zero;
                        (s0, s1, s2, s3) = (Float4.Fma(a0.X, w, s0), Float4.Fma(a1.X, w, s1), Float4.Fma(a2.X, w, s2), Float4.Fma(a3.X, w, s3));
                        w = Weights<TFormat>(first, second, 4 * half + 1, weights.Codebook) - zero;
                        (s0, s1, s2, s3) = (Float4.Fma(a0.Y, w, s0), Float4.Fma(a1.Y, w, s1), Float4.Fma(a2.Y, w, s2), Float4.Fma(a3.Y, w, s3));
                        w = Weights<TFormat>(first, second, 4 * half + 2, weights.Codebook) - zero;
                        (s0, s1, s2, s3) = (Float4.Fma(a0.Z, w, s0), Float4.Fma(a1.Z, w, s1), Float4.Fma(a2.Z, w, s2), Float4.Fma(a3.Z, w, s3));
                        w = Weights<TFormat>(first, second, 4 * half + 3, weights.Codebook) - zero;
                        (s0, s1, s2, s3) = (Float4.Fma(a0.W, w, s0), Float4.Fma(a1.W, w, s1), Float4.Fma(a2.W, w, s2), Float4.Fma(a3.W, w, s3));
                    }
                }
                (sum0, sum1, sum2, sum3) = (Float4.Fma(s0, scale, sum0), Float4.Fma(s1, scale, sum1), Float4.Fma(s2, scale, sum2), Float4.Fma(s3, scale, sum3));
            }
        }
        StoreRow<TStorage, TElement>(sum0, bias, output, shape, firstRow, tileRow, firstOutput, rowCount);
        StoreRow<TStorage, TElement>(sum1, bias, output, shape, firstRow, tileRow + 1, firstOutput, rowCount);
        StoreRow<TStorage, TElement>(sum2, bias, output, shape, firstRow, tileRow + 2, firstOutput, rowCount);
        StoreRow<TStorage, TElement>(sum3, bias, output, shape, firstRow, tileRow + 3, firstOutput, rowCount);
    }

    /// <summary>
    /// Few rows: memory is to be kept busy. A group takes up to <see cref="RowLanes"/> outputs and four rows; its threads sum segments side by side, and then
    /// those of the first part add them in their order, which leaves the bits as they are.
    /// </summary>
    public static void Rows<TStorage, TElement, TFormat>(
        ArrayView<Float4> activations, GemmGpuWeights weights, ArrayView<float> bias, ArrayView<TStorage> output, GemmGpuShape shape, long firstRow,
        int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage> where TFormat : struct, IGemmGpuFormat
    {
        ArrayView<Float4> segments = SharedMemory.Allocate<Float4>(GpuGroup.MaxSize);
        int laneCount = IntrinsicMath.Min(RowLanes, Group.DimX), workerCount = Group.DimX / laneCount, lane = Group.IdxX % laneCount,
            worker = Group.IdxX / laneCount;
        int laneGroups = shape.PanelCount * GemmGpuShape.PanelColumns / laneCount;
        int column = Grid.IdxX % laneGroups * laneCount + lane, tileRow = Grid.IdxX / laneGroups * TileRows;
        // Four rows of one output.
        Float4 sum = default;
        for (int firstSegment = 0; firstSegment < shape.SegmentCount; firstSegment += workerCount)
        {
            int segment = firstSegment + worker;
            segments[Group.IdxX] = segment < shape.SegmentCount ? Segment<TFormat>(activations, weights, shape, tileRow, column, segment) : default;
            GpuOps.Barrier();
            for (int i = 0; worker == 0 && i < workerCount && firstSegment + i < shape.SegmentCount; i++)
                sum = Float4.Fma(weights.Scale(shape, column, (firstSegment + i) / shape.SegmentsPerGroup), segments[i * laneCount + lane], sum);
            GpuOps.Barrier();
        }
        if (worker != 0)
            return;
        Store<TStorage, TElement>(sum.X, bias, output, shape, firstRow, tileRow, column, rowCount);
        Store<TStorage, TElement>(sum.Y, bias, output, shape, firstRow, tileRow + 1, column, rowCount);
        Store<TStorage, TElement>(sum.Z, bias, output, shape, firstRow, tileRow + 2, column, rowCount);
        Store<TStorage, TElement>(sum.W, bias, output, shape, firstRow, tileRow + 3, column, rowCount);
    }

    // One segment of one output and four rows: X is the first of them.
    private static Float4 Segment<TFormat>(ArrayView<Float4> activations, GemmGpuWeights weights, GemmGpuShape shape, int tileRow, int column, int segment)
        where TFormat : struct, IGemmGpuFormat
    {
        int group = segment / shape.SegmentsPerGroup, groupEnd = (group + 1) * shape.StepsPerGroup;
        int step = group * shape.StepsPerGroup + segment % shape.SegmentsPerGroup * GemmGpuShape.LargestSegmentSteps;
        int end = IntrinsicMath.Min(step + GemmGpuShape.LargestSegmentSteps, groupEnd);
        long rowQuads = shape.PaddedInputCount / 4, a = tileRow * rowQuads;
        float zero = weights.Zero(shape, column, group);
        Float4 sum = default;
        for (; step < end; step++)
        {
            long word = Word<TFormat>(shape, column, step);
            var eight = new GemmGpuStep(weights.Lanes[word], TFormat.WordsPerStep == 2 ? weights.Lanes[word + GemmGpuShape.PanelColumns] : 0);
            for (int half = 0; half < 2; half++)
            {
                long at = a + 2L * step + half;
                Float4 a0 = activations[at], a1 = activations[at + rowQuads], a2 = activations[at + 2 * rowQuads], a3 = activations[at + 3 * rowQuads];
                sum = Float4.Fma(TFormat.Number(eight, 4 * half, weights.Codebook) - zero, new Float4(a0.X, a1.X, a2.X, a3.X), sum);
                sum = Float4.Fma(TFormat.Number(eight, 4 * half + 1, weights.Codebook) - zero, new Float4(a0.Y, a1.Y, a2.Y, a3.Y), sum);
                sum = Float4.Fma(TFormat.Number(eight, 4 * half + 2, weights.Codebook) - zero, new Float4(a0.Z, a1.Z, a2.Z, a3.Z), sum);
                sum = Float4.Fma(TFormat.Number(eight, 4 * half + 3, weights.Codebook) - zero, new Float4(a0.W, a1.W, a2.W, a3.W), sum);
            }
        }
        return sum;
    }

    // The first word of an output in a step of its panel.
    private static long Word<TFormat>(GemmGpuShape shape, int column, int step) where TFormat : struct, IGemmGpuFormat =>
        ((long)(column / GemmGpuShape.PanelColumns) * shape.StepCount + step) * TFormat.WordsPerStep * GemmGpuShape.PanelColumns
        + column % GemmGpuShape.PanelColumns;

    private static long LaneQuad<TFormat>(GemmGpuShape shape, int firstOutput, int step) where TFormat : struct, IGemmGpuFormat =>
        Word<TFormat>(shape, firstOutput, step) / TileColumns;

    private static Float4 Weights<TFormat>(Int4 first, Int4 second, int input, ArrayView<float> codebook) where TFormat : struct, IGemmGpuFormat => new(
        TFormat.Number(new(first.X, second.X), input, codebook), TFormat.Number(new(first.Y, second.Y), input, codebook),
        TFormat.Number(new(first.Z, second.Z), input, codebook), TFormat.Number(new(first.W, second.W), input, codebook));

    private static Float4 Scales(GemmGpuWeights weights, GemmGpuShape shape, int firstOutput, int group) => new(
        weights.Scale(shape, firstOutput, group), weights.Scale(shape, firstOutput + 1, group), weights.Scale(shape, firstOutput + 2, group),
        weights.Scale(shape, firstOutput + 3, group));

    private static Float4 Zeros(GemmGpuWeights weights, GemmGpuShape shape, int firstOutput, int group) => new(
        weights.Zero(shape, firstOutput, group), weights.Zero(shape, firstOutput + 1, group), weights.Zero(shape, firstOutput + 2, group),
        weights.Zero(shape, firstOutput + 3, group));

    private static void StoreRow<TStorage, TElement>(
        Float4 sums, ArrayView<float> bias, ArrayView<TStorage> output, GemmGpuShape shape, long firstRow, int row, int firstOutput, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        Store<TStorage, TElement>(sums.X, bias, output, shape, firstRow, row, firstOutput, rowCount);
        Store<TStorage, TElement>(sums.Y, bias, output, shape, firstRow, row, firstOutput + 1, rowCount);
        Store<TStorage, TElement>(sums.Z, bias, output, shape, firstRow, row, firstOutput + 2, rowCount);
        Store<TStorage, TElement>(sums.W, bias, output, shape, firstRow, row, firstOutput + 3, rowCount);
    }

    // Padding rows and outputs are not stored.
    private static void Store<TStorage, TElement>(
        float sum, ArrayView<float> bias, ArrayView<TStorage> output, GemmGpuShape shape, long firstRow, int row, int column, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        if (row < rowCount && column < shape.OutputCount)
            output[(firstRow + row) * shape.OutputCount + column] = TElement.Store(bias.Length == 0 ? sum : sum + bias[column]);
    }
}
