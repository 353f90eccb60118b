namespace Kernels.Perf;

/// <summary>The synthetic matrices that others measure sparse products on, the same in every run.</summary>
internal static class MatrixGenerator
{
    // Graph500's quadrant probabilities.
    private const double TopLeft = 0.57, TopRight = 0.19, BottomLeft = 0.19;

    private const int Seed = 1;

    /// <summary>R-MAT (Chakrabarti, Zhan and Faloutsos, SDM 2004): 2^scale rows, edgeFactor draws a row, duplicates added.</summary>
    public static CsrMatrix<double> RMat(int scale, int edgeFactor)
    {
        var random = new Random(Seed);
        return Coordinates(1 << scale, edgeFactor << scale, () =>
        {
            int row = 0, column = 0;
            for (int bit = 0; bit < scale; bit++)
            {
                double draw = random.NextDouble();
                row = 2 * row + (draw >= TopLeft + TopRight ? 1 : 0);
                column = 2 * column + (draw is >= TopLeft and < TopLeft + TopRight or >= TopLeft + TopRight + BottomLeft ? 1 : 0);
            }
            return (row, column);
        });
    }

    /// <summary>Erdos and Renyi: degree draws a row, anywhere.</summary>
    public static CsrMatrix<double> ErdosRenyi(int size, int degree)
    {
        var random = new Random(Seed);
        return Coordinates(size, size * degree, () => (random.Next(size), random.Next(size)));
    }

    /// <summary>The five-point Laplacian on a grid of side x side.</summary>
    public static CsrMatrix<double> Poisson(int side)
    {
        var pointers = new long[side * side + 1];
        List<int> columns = new(5 * side * side);
        List<double> values = new(5 * side * side);
        for (int row = 0; row < side * side; row++)
        {
            int y = row / side, x = row % side;
            Add(y > 0, row - side, -1);
            Add(x > 0, row - 1, -1);
            Add(true, row, 4);
            Add(x < side - 1, row + 1, -1);
            Add(y < side - 1, row + side, -1);
            pointers[row + 1] = columns.Count;
        }
        return CsrMatrix.Wrap(side * side, side * side, pointers, columns.ToArray(), values.ToArray());

        void Add(bool exists, int column, double value)
        {
            if (!exists)
                return;
            columns.Add(column);
            values.Add(value);
        }
    }

    private static CsrMatrix<double> Coordinates(int size, int count, Func<(int Row, int Column)> draw)
    {
        (int[] rows, int[] columns, double[] values) = (new int[count], new int[count], new double[count]);
        var random = new Random(Seed);
        for (int i = 0; i < count; i++)
        {
            (rows[i], columns[i]) = draw();
            values[i] = random.NextDouble() + 0.5;
        }
        return CsrMatrix.FromCoo<double>(size, size, rows, columns, values);
    }
}
