using System.Runtime.CompilerServices;
using Kernels.Core.SpGemm;

namespace Kernels.Cpu.SpGemm;

/// <summary>The columns [Begin, End) of the product: all, or a stripe.</summary>
internal readonly record struct ColumnRange(int Begin, int End);

/// <summary>
/// One row of the product, merged as its products are made. A row of the right matrix holds each column once, mostly, so products of one left entry are
/// independent, and whether a column is new is counted without a branch, which would be mispredicted often.
/// </summary>
internal static unsafe class SpGemmRow<T, TSemiring, TSlots>
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
    where TSlots : struct, ISlots
{
    /// <summary>Adds all products of a left row; returns the number of columns touched so far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Accumulate(TSlots slots, in SpGemmLane<T> lane, in SpGemmOperands<T> operands, int row, ColumnRange range, int touched)
    {
        T* values = lane.Values;
        byte* states = lane.States;
        int* order = lane.Touched;
        int* columns = operands.Right.Columns;
        T* factors = operands.Right.Values;
        bool isStripe = range.Begin != 0 || range.End != operands.Right.ColumnCount;
        long end = operands.Left.RowPointers[row + 1];
        for (long k = operands.Left.RowPointers[row]; k < end; k++)
        {
            T left = operands.Left.Values[k];
            long* pointers = operands.Right.RowPointers + operands.Left.Columns[k];
            long first = pointers[0], last = pointers[1];
            if (isStripe)
                (first, last) = StripeOf(columns, first, last, range);
            for (; first < last; first++)
            {
                int column = columns[first];
                nint slot = slots.Find(column);
                order[touched] = column;
                touched += SlotState.Filled - states[slot];
                states[slot] = SlotState.Filled;
                values[slot] = TSemiring.Add(values[slot], TSemiring.Multiply(left, factors[first]));
            }
        }
        return touched;
    }

    /// <summary>Adds entries as they are, where the mask, if any, allows it; returns the number of columns touched.</summary>
    public static int AddEntries(TSlots slots, in SpGemmLane<T> lane, in CsrRows<T> entries, int row, ColumnRange range, bool isMasked, bool isComplement)
    {
        int touched = 0;
        (long first, long last) = RowOf(entries.Columns, entries.RowPointers, row, range, entries.ColumnCount);
        for (; first < last; first++)
        {
            int column = entries.Columns[first];
            nint slot = isMasked && !isComplement ? slots.Lookup(column) : slots.Find(column);
            if (isMasked && !IsAllowed(lane.States, slot, isComplement))
                continue;
            lane.Touched[touched] = column;
            touched += lane.States[slot] == SlotState.Filled ? 0 : 1;
            lane.States[slot] = SlotState.Filled;
            lane.Values[slot] = TSemiring.Add(lane.Values[slot], entries.Values[first]);
        }
        return touched;
    }

    /// <summary>As <see cref="Accumulate"/>, under a mask whose slots were prepared by <see cref="Mark"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int AccumulateMasked(TSlots slots, in SpGemmLane<T> lane, in SpGemmOperands<T> operands, int row, ColumnRange range, int touched)
    {
        T* values = lane.Values;
        byte* states = lane.States;
        int* columns = operands.Right.Columns;
        bool isComplement = operands.MaskIsComplement;
        long end = operands.Left.RowPointers[row + 1];
        for (long k = operands.Left.RowPointers[row]; k < end; k++)
        {
            T left = operands.Left.Values[k];
            (long first, long last) = RowOf(columns, operands.Right.RowPointers, operands.Left.Columns[k], range, operands.Right.ColumnCount);
            for (; first < last; first++)
            {
                int column = columns[first];
                nint slot = isComplement ? slots.Find(column) : slots.Lookup(column);
                if (!IsAllowed(states, slot, isComplement))
                    continue;
                lane.Touched[touched] = column;
                touched += states[slot] == SlotState.Filled ? 0 : 1;
                states[slot] = SlotState.Filled;
                values[slot] = TSemiring.Add(values[slot], TSemiring.Multiply(left, operands.Right.Values[first]));
            }
        }
        return touched;
    }

    /// <summary>Marks the columns of the mask's row: open, or, complemented, blocked.</summary>
    public static void Mark(TSlots slots, in SpGemmLane<T> lane, in CsrRows<NoValue> mask, int row, ColumnRange range, byte state)
    {
        (long first, long last) = RowOf(mask.Columns, mask.RowPointers, row, range, mask.ColumnCount);
        for (; first < last; first++)
            lane.States[slots.Find(mask.Columns[first])] = state;
    }

    /// <summary>Takes the marks away again.</summary>
    public static void Unmark(TSlots slots, in SpGemmLane<T> lane, in CsrRows<NoValue> mask, int row, ColumnRange range)
    {
        Mark(slots, lane, mask, row, range, SlotState.Empty);
        slots.Clear();
    }

    /// <summary>Takes the sums out in this order of columns, and leaves their slots as they were.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TakeOut(TSlots slots, in SpGemmLane<T> lane, int* order, int* columns, T* results, int count)
    {
        T* values = lane.Values;
        byte* states = lane.States;
        T zero = TSemiring.Zero;
        for (int i = 0; i < count; i++)
        {
            int column = order[i];
            nint slot = slots.Lookup(column);
            columns[i] = column;
            results[i] = values[slot];
            values[slot] = zero;
            states[slot] = SlotState.Empty;
        }
    }

    /// <summary>Adds all products of a left row of which every column has its slot; for a pattern that is known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AccumulateKnown(TSlots slots, in SpGemmLane<T> lane, in SpGemmOperands<T> operands, int row)
    {
        T* values = lane.Values;
        int* columns = operands.Right.Columns;
        T* factors = operands.Right.Values;
        long end = operands.Left.RowPointers[row + 1];
        for (long k = operands.Left.RowPointers[row]; k < end; k++)
        {
            T left = operands.Left.Values[k];
            long* pointers = operands.Right.RowPointers + operands.Left.Columns[k];
            for (long i = pointers[0]; i < pointers[1]; i++)
            {
                nint slot = slots.Find(columns[i]);
                values[slot] = TSemiring.Add(values[slot], TSemiring.Multiply(left, factors[i]));
            }
        }
    }

    private static bool IsAllowed(byte* states, nint slot, bool isComplement) =>
        isComplement ? states[slot] != SlotState.Blocked : slot >= 0 && states[slot] is SlotState.Open or SlotState.Filled;

    private static (long First, long Last) RowOf(int* columns, long* pointers, int row, ColumnRange range, int columnCount) =>
        range.Begin == 0 && range.End == columnCount ? (pointers[row], pointers[row + 1]) : StripeOf(columns, pointers[row], pointers[row + 1], range);

    // Stripes are made of sorted rows only.
    private static (long First, long Last) StripeOf(int* columns, long first, long last, ColumnRange range) =>
        (LowerBound(columns, first, last, range.Begin), LowerBound(columns, first, last, range.End));

    private static long LowerBound(int* columns, long first, long last, int column)
    {
        while (first < last)
        {
            long middle = first + (last - first) / 2;
            if (columns[middle] < column)
                first = middle + 1;
            else
                last = middle;
        }
        return first;
    }
}
