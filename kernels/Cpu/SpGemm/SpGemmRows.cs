using System.Numerics;
using System.Runtime.CompilerServices;
using Kernels.Core.SpGemm;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.SpGemm;

/// <summary>Computes rows: looks at what a row has to add up, chooses its accumulator, and writes it out.</summary>
internal static unsafe class SpGemmRows<T, TSemiring>
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    // The smallest table has two buckets.
    private const long LeastTags = 2 * BucketSlots.Width;

    /// <summary>The tags for so many columns.</summary>
    public static long TagCount(long columns) => (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(LeastTags, columns * SpGemmTuning.SlotsPerEntry));

    /// <summary>Computes a row, or a stripe of it, and returns the number of entries written.</summary>
    public static int Compute(in SpGemmOperands<T> operands, in SpGemmLane<T> lane, in SpGemmChoice choice, int row, ColumnRange range, int* columns, T* values)
    {
        bool isPlain = !operands.Mask.IsPresent && !operands.Addend.IsPresent, isWhole = range.Begin == 0 && range.End == operands.Right.ColumnCount;
        long leftLength = operands.Left.Length(row);
        if (isPlain && leftLength == 0)
            return 0;
        if (isPlain && isWhole && choice.HasShortRows && leftLength <= SpGemmTuning.ListLeftEntries)
        {
            if (leftLength == 1 && !operands.Right.HasDuplicates && (operands.IsUnsorted || operands.Right.IsSorted))
                return Finish(operands, columns, values, Copy(operands, row, columns, values));
            if (ProductsOf(operands, row) <= SpGemmTuning.ListProducts)
                return Finish(operands, columns, values, MergeList(operands, row, columns, values));
        }
        if ((choice.DenseFits && choice.HasDense) || (isPlain && choice.IsNarrow(SpanOf(operands, row))))
            return Merge(new DenseSlots(), operands, lane, row, range, columns, values);
        long products = ProductsOf(operands, row);
        switch (choice.ForRow(products, operands.Right.ColumnCount))
        {
            case SpGemmAccumulator.Dense:
                return Merge(new DenseSlots(), operands, lane, row, range, columns, values);
            case SpGemmAccumulator.Hash:
                return Merge(new HashSlots(lane.Tags, (int)TagCount(SpGemmSchedule<T>.SlotsOf(operands, row, products))), operands, lane, row, range, columns,
                    values);
            default:
                return Merge(new BucketSlots(lane.Tags, (int)TagCount(SpGemmSchedule<T>.SlotsOf(operands, row, products))), operands, lane, row, range, columns,
                    values);
        }
    }

    private static int Merge<TSlots>(TSlots slots, in SpGemmOperands<T> operands, in SpGemmLane<T> lane, int row, ColumnRange range, int* columns, T* values)
        where TSlots : struct, ISlots
    {
        bool isMasked = operands.Mask.IsPresent;
        if (isMasked)
            SpGemmRow<T, TSemiring, TSlots>.Mark(slots, lane, operands.Mask, row, range, operands.MaskIsComplement ? SlotState.Blocked : SlotState.Open);
        int count = operands.Addend.IsPresent ? AddEntries(slots, operands, lane, row, range) : 0;
        count = isMasked
            ? SpGemmRow<T, TSemiring, TSlots>.AccumulateMasked(slots, lane, operands, row, range, count)
            : SpGemmRow<T, TSemiring, TSlots>.Accumulate(slots, lane, operands, row, range, count);
        int* order = lane.Touched;
        if (!operands.IsUnsorted)
        {
            lane.Sort.Sort(order, count, columns);
            order = columns;
        }
        SpGemmRow<T, TSemiring, TSlots>.TakeOut(slots, lane, order, columns, values, count);
        if (isMasked)
            SpGemmRow<T, TSemiring, TSlots>.Unmark(slots, lane, operands.Mask, row, range);
        else
            slots.Clear();
        return Finish(operands, columns, values, count);
    }

    private static int AddEntries<TSlots>(TSlots slots, in SpGemmOperands<T> operands, in SpGemmLane<T> lane, int row, ColumnRange range)
        where TSlots : struct, ISlots =>
        SpGemmRow<T, TSemiring, TSlots>.AddEntries(slots, lane, operands.Addend, row, range, operands.Mask.IsPresent, operands.MaskIsComplement);

    /// <summary>Asks for the beginnings of the right rows that a left row needs, which are anywhere in memory.</summary>
    public static void FetchAhead(in SpGemmOperands<T> operands, int row)
    {
        for (long k = operands.Left.RowPointers[row]; k < operands.Left.RowPointers[row + 1]; k++)
        {
            long first = operands.Right.RowPointers[operands.Left.Columns[k]];
            Prefetch.Read(operands.Right.Columns + first);
            Prefetch.Read(operands.Right.Values + first);
        }
    }

    private static long ProductsOf(in SpGemmOperands<T> operands, int row)
    {
        long products = 0;
        for (long k = operands.Left.RowPointers[row]; k < operands.Left.RowPointers[row + 1]; k++)
            products += operands.Right.Length(operands.Left.Columns[k]);
        return products;
    }

    // From the first column of the first right row to the last one of the last: exact for bands of sorted rows, else a guess. Of a left row with entries.
    private static long SpanOf(in SpGemmOperands<T> operands, int row)
    {
        long* first = operands.Right.RowPointers + operands.Left.Columns[operands.Left.RowPointers[row]];
        long* last = operands.Right.RowPointers + operands.Left.Columns[operands.Left.RowPointers[row + 1] - 1];
        return first[0] == first[1] || last[0] == last[1] ? long.MaxValue
            : Math.Abs((long)operands.Right.Columns[last[1] - 1] - operands.Right.Columns[first[0]]);
    }

    // The row of a left row with one entry: a multiple of a right row.
    private static int Copy(in SpGemmOperands<T> operands, int row, int* columns, T* values)
    {
        long k = operands.Left.RowPointers[row];
        int right = operands.Left.Columns[k];
        T left = operands.Left.Values[k];
        int count = (int)operands.Right.Length(right);
        int* source = operands.Right.Columns + operands.Right.RowPointers[right];
        T* factors = operands.Right.Values + operands.Right.RowPointers[right];
        new Span<int>(source, count).CopyTo(new Span<int>(columns, count));
        for (int i = 0; i < count; i++)
            values[i] = TSemiring.Add(TSemiring.Zero, TSemiring.Multiply(left, factors[i]));
        return count;
    }

    private static int MergeList(in SpGemmOperands<T> operands, int row, int* columns, T* values)
    {
        int count = 0;
        for (long k = operands.Left.RowPointers[row]; k < operands.Left.RowPointers[row + 1]; k++)
        {
            int right = operands.Left.Columns[k];
            for (long i = operands.Right.RowPointers[right]; i < operands.Right.RowPointers[right + 1]; i++)
            {
                T product = TSemiring.Multiply(operands.Left.Values[k], operands.Right.Values[i]);
                int place = 0;
                while (place < count && columns[place] != operands.Right.Columns[i])
                    place++;
                if (place == count)
                    (columns[count], values[count++]) = (operands.Right.Columns[i], TSemiring.Zero);
                values[place] = TSemiring.Add(values[place], product);
            }
        }
        if (!operands.IsUnsorted)
            SortList(columns, values, count);
        return count;
    }

    private static void SortList(int* columns, T* values, int count)
    {
        for (int i = 1; i < count; i++)
        {
            (int column, T value) = (columns[i], values[i]);
            int place = i;
            for (; place > 0 && columns[place - 1] > column; place--)
                (columns[place], values[place]) = (columns[place - 1], values[place - 1]);
            (columns[place], values[place]) = (column, value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Finish(in SpGemmOperands<T> operands, int* columns, T* values, int count) => operands.DropsZeros ? WithoutZeros(columns, values, count)
        : count;

    private static int WithoutZeros(int* columns, T* values, int count)
    {
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            (columns[kept], values[kept]) = (columns[i], values[i]);
            kept += values[i].Equals(TSemiring.Zero) ? 0 : 1;
        }
        return kept;
    }
}
