using System.Numerics;

namespace Kernels.Perf;

/// <summary>The product by the textbook, row by row in double with a dense row of sums, to check results against.</summary>
internal sealed class SpGemmOracle<T>(CsrMatrix<T> left, CsrMatrix<T> right) where T : unmanaged, INumber<T>
{
    // Each product may lose so much where it leaves the type's range; circuits' conductances span more than that of f32.
    private static readonly double s_smallestNormal = typeof(T) == typeof(float) ? 1.17549435e-38 : 0;

    // A sum in f32 may come out as zero where the one in double does not.
    private const double DroppedTolerance = 1e-6;

    /// <summary>The largest error relative to the sum of magnitudes; NaN if the pattern is another one. Rows may be in any order.</summary>
    /// <param name="pointers">Row pointers of the result.</param>
    /// <param name="columns">Columns of the result.</param>
    /// <param name="values">Values of the result.</param>
    /// <param name="mayDropZeros">Whether sums that are zero may be missing.</param>
    public double LargestError(ReadOnlySpan<long> pointers, ReadOnlySpan<int> columns, ReadOnlySpan<T> values, bool mayDropZeros)
    {
        double[] sums = new double[right.ColumnCount], magnitudes = new double[right.ColumnCount];
        double largest = 0;
        for (int row = 0; row < left.RowCount; row++)
        {
            int places = Add(row, sums, magnitudes);
            double underflow = left.RowColumns(row).Length * s_smallestNormal;
            for (long i = pointers[row]; i < pointers[row + 1]; i++)
            {
                int column = columns[(int)i];
                double error = Math.Max(0, Math.Abs(double.CreateChecked(values[(int)i]) - sums[column]) - underflow) / magnitudes[column];
                // 0 / 0 where the column is not, or no longer, expected.
                largest = error <= largest ? largest : error;
                if (double.IsNaN(error))
                    return double.NaN;
                (sums[column], magnitudes[column]) = (0, 0);
                places--;
            }
            if (places != 0 && !(mayDropZeros && TakeZerosOut(sums, magnitudes, underflow)))
                return double.NaN;
        }
        return largest;
    }

    // Whether nothing is left but what rounding may have made a zero.
    private static bool TakeZerosOut(double[] sums, double[] magnitudes, double underflow)
    {
        for (int column = 0; column < sums.Length; column++)
        {
            if (Math.Abs(sums[column]) > underflow + DroppedTolerance * magnitudes[column])
                return false;
            (sums[column], magnitudes[column]) = (0, 0);
        }
        return true;
    }

    private int Add(int row, double[] sums, double[] magnitudes)
    {
        int places = 0;
        ReadOnlySpan<int> leftColumns = left.RowColumns(row);
        for (int p = 0; p < leftColumns.Length; p++)
        {
            double factor = double.CreateChecked(left.RowValues(row)[p]);
            ReadOnlySpan<int> columns = right.RowColumns(leftColumns[p]);
            ReadOnlySpan<T> values = right.RowValues(leftColumns[p]);
            for (int q = 0; q < columns.Length; q++)
            {
                double product = factor * double.CreateChecked(values[q]);
                places += magnitudes[columns[q]] == 0 ? 1 : 0;
                sums[columns[q]] += product;
                // Products of zeros are entries, too.
                magnitudes[columns[q]] += Math.Max(Math.Abs(product), double.Epsilon);
            }
        }
        return places;
    }
}
