using ILGPU;

namespace Kernels.Gpu;

/// <summary>
/// What ILGPU compiles of the products: output = (sum s_a / 127 + f) s_w / 127 + bias, where f is the product of a row's outliers with the integer weights, in
/// float, in ascending order of their columns. Integer sums are exact, so they may be taken in any order; the rest is the CPU's arithmetic, operation by
/// operation.
/// </summary>
internal static class Int8GpuKernels
{
    /// <summary>Rows and outputs of a thread.</summary>
    public const int TileRows = 4, TileColumns = 4;

    /// <summary>Outputs of a group of <see cref="Rows"/>: a panel.</summary>
    public const int RowLanes = Int8GpuShape.PanelColumns;

    private const int Byte = 8, TopByte = 24;

    /// <summary>Four rows and four outputs a thread: 16 dot products of four bytes for five loads.</summary>
    public static void Tile<TStorage, TElement>(
        Index1D thread, Int8GpuRows rows, Int8GpuWeightsView weights, ArrayView<float> bias, ArrayView<TStorage> output, Int8GpuShape shape, long firstRow,
        int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        int quads = shape.PanelCount * (Int8GpuShape.PanelColumns / TileColumns);
        int column = thread % quads * TileColumns, row = thread / quads * TileRows;
        ArrayView<Int4> lanes = weights.Lanes.Cast<Int4>();
        long lane = FirstLane(shape, column) / TileColumns, a = (long)row * shape.StepCount;
        Int4 s0 = default, s1 = default, s2 = default, s3 = default;
        for (int step = 0; step < shape.StepCount; step++, lane += Int8GpuShape.PanelColumns / TileColumns, a++)
        {
            Int4 w = lanes[lane];
            s0 = Add(s0, w, rows.Values[a]);
            s1 = Add(s1, w, rows.Values[a + shape.StepCount]);
            s2 = Add(s2, w, rows.Values[a + 2L * shape.StepCount]);
            s3 = Add(s3, w, rows.Values[a + 3L * shape.StepCount]);
        }
        StoreRow<TStorage, TElement>(s0, rows, weights, bias, output, shape, firstRow, row, column, rowCount);
        StoreRow<TStorage, TElement>(s1, rows, weights, bias, output, shape, firstRow, row + 1, column, rowCount);
        StoreRow<TStorage, TElement>(s2, rows, weights, bias, output, shape, firstRow, row + 2, column, rowCount);
        StoreRow<TStorage, TElement>(s3, rows, weights, bias, output, shape, firstRow, row + 3, column, rowCount);
    }

    /// <summary>Few rows: a group takes up to a panel of outputs and four rows, and its threads share the inputs.</summary>
    public static void Rows<TStorage, TElement>(
        Int8GpuRows rows, Int8GpuWeightsView weights, ArrayView<float> bias, ArrayView<TStorage> output, Int8GpuShape shape, long firstRow, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        ArrayView<Int4> parts = SharedMemory.Allocate<Int4>(GpuGroup.MaxSize);
        int laneCount = IntrinsicMath.Min(RowLanes, Group.DimX), workerCount = Group.DimX / laneCount, worker = Group.IdxX / laneCount;
        int laneGroups = shape.PanelCount * Int8GpuShape.PanelColumns / laneCount;
        int column = Grid.IdxX % laneGroups * laneCount + Group.IdxX % laneCount, row = Grid.IdxX / laneGroups * TileRows;
        long lane = FirstLane(shape, column), a = (long)row * shape.StepCount;
        // Four rows of one output.
        Int4 sum = default;
        for (int step = worker; step < shape.StepCount; step += workerCount)
        {
            int w = weights.Lanes[lane + (long)step * Int8GpuShape.PanelColumns];
            sum.X = GpuOps.DotBytes(w, rows.Values[a + step], sum.X);
            sum.Y = GpuOps.DotBytes(w, rows.Values[a + step + shape.StepCount], sum.Y);
            sum.Z = GpuOps.DotBytes(w, rows.Values[a + step + 2L * shape.StepCount], sum.Z);
            sum.W = GpuOps.DotBytes(w, rows.Values[a + step + 3L * shape.StepCount], sum.W);
        }
        parts[Group.IdxX] = sum;
        GpuOps.Barrier();
        if (worker != 0)
            return;
        for (int i = 1; i < workerCount; i++)
        {
            Int4 part = parts[Group.IdxX + i * laneCount];
            (sum.X, sum.Y, sum.Z, sum.W) = (sum.X + part.X, sum.Y + part.Y, sum.Z + part.Z, sum.W + part.W);
        }
        Store<TStorage, TElement>(sum.X, rows, weights, bias, output, shape, firstRow, row, column, rowCount);
        Store<TStorage, TElement>(sum.Y, rows, weights, bias, output, shape, firstRow, row + 1, column, rowCount);
        Store<TStorage, TElement>(sum.Z, rows, weights, bias, output, shape, firstRow, row + 2, column, rowCount);
        Store<TStorage, TElement>(sum.W, rows, weights, bias, output, shape, firstRow, row + 3, column, rowCount);
    }

    private static Int4 Add(Int4 sums, Int4 weights, int activations) => new()
    {
        X = GpuOps.DotBytes(weights.X, activations, sums.X),
        Y = GpuOps.DotBytes(weights.Y, activations, sums.Y),
        Z = GpuOps.DotBytes(weights.Z, activations, sums.Z),
        W = GpuOps.DotBytes(weights.W, activations, sums.W),
    };

    // The first word of an output.
    private static long FirstLane(Int8GpuShape shape, int column) =>
        (long)(column / Int8GpuShape.PanelColumns) * shape.StepCount * Int8GpuShape.PanelColumns + column % Int8GpuShape.PanelColumns;

    private static void StoreRow<TStorage, TElement>(
        Int4 sums, Int8GpuRows rows, Int8GpuWeightsView weights, ArrayView<float> bias, ArrayView<TStorage> output, Int8GpuShape shape, long firstRow, int row,
        int column, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        Store<TStorage, TElement>(sums.X, rows, weights, bias, output, shape, firstRow, row, column, rowCount);
        Store<TStorage, TElement>(sums.Y, rows, weights, bias, output, shape, firstRow, row, column + 1, rowCount);
        Store<TStorage, TElement>(sums.Z, rows, weights, bias, output, shape, firstRow, row, column + 2, rowCount);
        Store<TStorage, TElement>(sums.W, rows, weights, bias, output, shape, firstRow, row, column + 3, rowCount);
    }

    // Padding rows and outputs are not stored.
    private static void Store<TStorage, TElement>(
        int sum, Int8GpuRows rows, Int8GpuWeightsView weights, ArrayView<float> bias, ArrayView<TStorage> output, Int8GpuShape shape, long firstRow, int row,
        int column, int rowCount)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage>
    {
        if (row >= rowCount || column >= shape.OutputCount)
            return;
        long at = (firstRow + row) * shape.OutputCount + column;
        float outliers = Outliers(rows, weights, shape, row, column);
        output[at] = TElement.Store(GpuOps.Fma(GpuOps.Fma(sum, rows.Scales[row], outliers), weights.Factors[column], bias.Length == 0 ? 0 : bias[column]));
    }

    private static float Outliers(Int8GpuRows rows, Int8GpuWeightsView weights, Int8GpuShape shape, int row, int column)
    {
        long first = (long)row * shape.InputCount, lane = FirstLane(shape, column);
        int count = rows.OutlierCounts[row];
        float sum = 0;
        for (int i = 0; i < count; i++)
        {
            int input = rows.Outliers[first + i], word = weights.Lanes[lane + (long)(input / Int8GpuShape.LaneInputs) * Int8GpuShape.PanelColumns];
            int weight = word << TopByte - Byte * (input % Int8GpuShape.LaneInputs) >> TopByte;
            sum = GpuOps.Fma(rows.OutlierValues[first + i], weight, sum);
        }
        return sum;
    }
}
