using System.Numerics;
using Kernels.Core.Checks;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels;

/// <summary>
/// What calibration says about the inputs of a layer: H = 2 sum over rows x of x^T x, the second derivative of the layer's squared output error by its weights
/// (GPTQ, arXiv 2210.17323, section 3). Accumulated in double; not for several threads at a time.
/// </summary>
public sealed class GptqHessian
{
    private readonly double[] _matrix;

    /// <summary>Begins with no rows.</summary>
    /// <param name="inputCount">k, at least 1; k^2 doubles are kept.</param>
    public GptqHessian(int inputCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputCount, 1);
        if (Math.BigMul(inputCount, inputCount) > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(inputCount), inputCount, "its square exceeds what an array can hold");
        InputCount = inputCount;
        _matrix = new double[inputCount * inputCount];
    }

    /// <summary>Inputs of the layer, k: rows and columns of H.</summary>
    public int InputCount { get; }

    /// <summary>H, [inputs, inputs], symmetric; the part above the diagonal is kept in the part below it.</summary>
    internal ReadOnlySpan<double> Row(int input) => _matrix.AsSpan(input * InputCount, input + 1);

    /// <summary>Adds calibration rows. O(m k^2).</summary>
    /// <param name="activations">[m, inputs], row-major; finite.</param>
    /// <exception cref="ArgumentException">The elements are no whole rows, or one is not finite; nothing was added then.</exception>
    public void Add(ReadOnlySpan<float> activations)
    {
        Check.Rows(activations.Length, InputCount, nameof(activations));
        QuantizedWeightsChecks.Finite(activations, InputCount, nameof(activations));
        var row = new double[InputCount];
        for (int start = 0; start < activations.Length; start += InputCount)
        {
            for (int i = 0; i < InputCount; i++)
                row[i] = activations[start + i];
            for (int i = 0; i < InputCount; i++)
                DoubleRows.AddScaled(_matrix.AsSpan(i * InputCount, i + 1), 2 * row[i], row);
        }
    }

    /// <summary>Adds a matrix that was accumulated elsewhere.</summary>
    /// <param name="matrix">[inputs, inputs], symmetric; the part on and below the diagonal is read.</param>
    /// <exception cref="ArgumentException">The span has another number of elements, or one is not finite; nothing was added then.</exception>
    public void AddMatrix(ReadOnlySpan<double> matrix)
    {
        Check.Exactly(matrix.Length, _matrix.Length, nameof(matrix));
        int bad = 0;
        while (bad < matrix.Length && double.IsFinite(matrix[bad]))
            bad++;
        if (bad < matrix.Length)
            throw new ArgumentException($"element {bad} is {matrix[bad]}: finite numbers are needed", nameof(matrix));
        DoubleRows.AddScaled(_matrix, 1, matrix);
    }

    /// <summary>Whether no row had anything at this input: its weights do not matter, and become 0.</summary>
    internal bool IsDead(int input) => _matrix[input * InputCount + input] == 0;

    /// <summary>The inputs with the largest diagonal first; in their own order where it is equal.</summary>
    internal int[] DescendingDiagonal() => [.. Enumerable.Range(0, InputCount).OrderByDescending(input => _matrix[input * InputCount + input])];

    /// <summary>
    /// U with H^-1 = U^T U, upper triangular, for H with damping on its diagonal and rows and columns in the order given. With J the reversal of order, J H J =
    /// L L^T gives U = J L^-1 J: one factorisation and one inverse of a triangle, 2/3 k^3 products, rows against rows.
    /// </summary>
    /// <exception cref="ArgumentException">H is not positive definite, damping included.</exception>
    internal float[] InverseFactor(ReadOnlySpan<int> order, double damping)
    {
        int size = InputCount;
        double mean = 0;
        for (int i = 0; i < size; i++)
            mean += _matrix[i * size + i] / size;
        var factor = new double[size * size];
        for (int i = 0; i < size; i++)
        {
            int from = order[size - 1 - i];
            for (int j = 0; j < i; j++)
            {
                int to = order[size - 1 - j];
                factor[i * size + j] = _matrix[Math.Max(from, to) * size + Math.Min(from, to)];
            }
            factor[i * size + i] = IsDead(from) ? 1 : _matrix[from * size + from] + damping * mean;
        }
        Factorise(factor, order);
        InvertTriangle(factor);
        var reversed = new float[size * size];
        for (int i = 0; i < size; i++)
        {
            for (int j = i; j < size; j++)
                reversed[i * size + j] = (float)factor[(size - 1 - i) * size + size - 1 - j];
        }
        return reversed;
    }

    // Cholesky in place: the lower triangle becomes L.
    private void Factorise(double[] factor, ReadOnlySpan<int> order)
    {
        int size = InputCount;
        for (int i = 0; i < size; i++)
        {
            Span<double> row = factor.AsSpan(i * size, size);
            for (int j = 0; j < i; j++)
                row[j] = (row[j] - DoubleRows.Dot(row[..j], factor.AsSpan(j * size, j))) / factor[j * size + j];
            double pivot = row[i] - DoubleRows.Dot(row[..i], row[..i]);
            if (!(pivot > 0))
                throw new ArgumentException($"the Hessian with its damping is not positive definite at input {order[size - 1 - i]}", "hessian");
            row[i] = Math.Sqrt(pivot);
        }
    }

    // L^-1 in place, row by row: (e_i - sum over j < i of L[i][j] (row j of the inverse)) / L[i][i].
    private void InvertTriangle(double[] factor)
    {
        int size = InputCount;
        var row = new double[size];
        for (int i = 0; i < size; i++)
        {
            row.AsSpan(0, i).Clear();
            for (int j = 0; j < i; j++)
                DoubleRows.AddScaled(row.AsSpan(0, j + 1), -factor[i * size + j], factor.AsSpan(j * size, size));
            double pivot = factor[i * size + i];
            for (int j = 0; j < i; j++)
                factor[i * size + j] = row[j] / pivot;
            factor[i * size + i] = 1 / pivot;
        }
    }

    private static class DoubleRows
    {
        public static void AddScaled(Span<double> sums, double factor, ReadOnlySpan<double> terms)
        {
            int done = 0, width = Vector<double>.Count;
            for (; done <= sums.Length - width; done += width)
                (new Vector<double>(sums[done..]) + new Vector<double>(terms[done..]) * factor).CopyTo(sums[done..]);
            for (; done < sums.Length; done++)
                sums[done] += factor * terms[done];
        }

        public static double Dot(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
        {
            Vector<double> sums = Vector<double>.Zero;
            int done = 0, width = Vector<double>.Count;
            for (; done <= left.Length - width; done += width)
                sums += new Vector<double>(left[done..]) * new Vector<double>(right[done..]);
            double sum = Vector.Sum(sums);
            for (; done < left.Length; done++)
                sum += left[done] * right[done];
            return sum;
        }
    }
}

/// <summary>How <see cref="QuantizedWeights.PackGptq"/> goes about it. The default is the paper's.</summary>
public readonly record struct GptqOptions
{
    internal const double DefaultDamping = 0.01;

    /// <summary>What is added to the diagonal of H, in parts of its mean: a finite number, 0 for nothing; null (the default) means 0.01.</summary>
    public double? Damping { get; init; }

    /// <summary>
    /// Whether inputs are quantised by descending diagonal of H (act-order) rather than from first to last. Smaller errors; activations are then gathered at
    /// each product.
    /// </summary>
    public bool ActOrder { get; init; }

    /// <summary>Threads and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}
