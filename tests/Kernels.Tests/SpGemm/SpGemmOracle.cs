using System.Numerics;
using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>
/// The product by the definition: a dictionary of places, sums in twice the precision of double, and the sum of the magnitudes that bounds the error.
/// </summary>
internal sealed class SpGemmOracle
{
    private readonly Dictionary<long, (DoubleDouble Real, DoubleDouble Imaginary, double Magnitude)> _sums = [];

    private readonly long _columnCount;

    private SpGemmOracle(long columnCount) => _columnCount = columnCount;

    public static SpGemmOracle Multiply<T>(CsrMatrix<T> left, CsrMatrix<T> right, Func<T, Complex> value) where T : unmanaged, IEquatable<T>
    {
        var oracle = new SpGemmOracle(right.ColumnCount);
        for (int row = 0; row < left.RowCount; row++)
        {
            for (int p = 0; p < left.RowColumns(row).Length; p++)
            {
                int k = left.RowColumns(row)[p];
                Complex a = value(left.RowValues(row)[p]);
                for (int q = 0; q < right.RowColumns(k).Length; q++)
                    oracle.Add(oracle.Place(row, right.RowColumns(k)[q]), a, value(right.RowValues(k)[q]));
            }
        }
        return oracle;
    }

    /// <summary>The same places, and each value within <paramref name="tolerance"/> times the sum of magnitudes.</summary>
    public void AssertEqual<T>(CsrMatrix<T> product, Func<T, Complex> value, double tolerance) where T : unmanaged, IEquatable<T>
    {
        Assert.Equal(_sums.Count, product.EntryCount);
        for (int row = 0; row < product.RowCount; row++)
        {
            ReadOnlySpan<int> columns = product.RowColumns(row);
            for (int i = 0; i < columns.Length; i++)
            {
                Assert.True(_sums.TryGetValue(Place(row, columns[i]), out (DoubleDouble Real, DoubleDouble Imaginary, double Magnitude) sum),
                    $"({row}, {columns[i]}) is no entry of the product");
                Complex found = value(product.RowValues(row)[i]);
                double error = double.Hypot((sum.Real - found.Real).ToDouble(), (sum.Imaginary - found.Imaginary).ToDouble());
                if (!(error <= tolerance * sum.Magnitude))
                    Assert.Fail($"({row}, {columns[i]}) is {found} instead of {sum.Real.ToDouble()} + {sum.Imaginary.ToDouble()} i, off by {error} of " +
                        $"{sum.Magnitude}");
            }
        }
    }

    // The hash of a long is its halves' exclusive or: row-major places spread, while row and column side by side would collide.
    private long Place(int row, int column) => (long)row * _columnCount + column;

    private void Add(long place, Complex a, Complex b)
    {
        ref (DoubleDouble Real, DoubleDouble Imaginary, double Magnitude) sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_sums, place, out _);
        sum = (sum.Real + (DoubleDouble)a.Real * b.Real - (DoubleDouble)a.Imaginary * b.Imaginary,
            sum.Imaginary + (DoubleDouble)a.Real * b.Imaginary + (DoubleDouble)a.Imaginary * b.Real,
            sum.Magnitude + Complex.Abs(a) * Complex.Abs(b));
    }

    /// <summary>The product over a semiring by naive loops, each sum in the order of left's entries: to be met bit for bit.</summary>
    public static Dictionary<(int Row, int Column), T> Naive<T, TSemiring>(CsrMatrix<T> left, CsrMatrix<T> right, CsrMatrix<T>? addend = null)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        Dictionary<(int, int), T> sums = [];
        for (int row = 0; row < left.RowCount; row++)
        {
            for (int i = 0; addend is not null && i < addend.RowColumns(row).Length; i++)
                Add((row, addend.RowColumns(row)[i]), addend.RowValues(row)[i]);
            for (int p = 0; p < left.RowColumns(row).Length; p++)
            {
                int k = left.RowColumns(row)[p];
                for (int q = 0; q < right.RowColumns(k).Length; q++)
                    Add((row, right.RowColumns(k)[q]), TSemiring.Multiply(left.RowValues(row)[p], right.RowValues(k)[q]));
            }
        }
        return sums;

        void Add((int, int) place, T term) => sums[place] = sums.TryGetValue(place, out T sum) ? TSemiring.Add(sum, term) : term;
    }
}
