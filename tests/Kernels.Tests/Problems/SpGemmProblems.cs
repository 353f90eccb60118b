using System.Numerics;

namespace Kernels.Tests;

/// <summary>Sparse products, sorted and not, masked and not.</summary>
internal static class SpGemmProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        switch (variant.Types)
        {
            case "f32": Run(draw, kernel, results, d => (float)d.Normal()); break;
            case "f64": Run(draw, kernel, results, d => d.Normal()); break;
            case "i32": Run(draw, kernel, results, d => d.Between(-9, 9)); break;
            case "i64": Run(draw, kernel, results, d => (long)d.Between(-9, 9)); break;
            case "c128": Run(draw, kernel, results, d => new Complex(d.Normal(), d.Normal())); break;
            default: Boolean(draw, kernel, results); break;
        }
    }

    private static void Run<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results, Func<ProblemDraw, T> value) where T : unmanaged, INumberBase<T>
    {
        int rows = draw.Length(120), inner = draw.Length(120), columns = draw.Length(400);
        CsrMatrix<T> left = Matrix(draw, rows, inner, value), right = Matrix(draw, inner, columns, value);
        SpGemmMask? mask = draw.Chance(0.3) ? SpGemmMask.Of(Matrix(draw, rows, columns, value)) : null;
        if (mask is not null && draw.Chance(0.5))
            mask = mask.Complement();
        var options = new SpGemmOptions<T> { Kernel = kernel, Mask = mask, DropZeros = draw.Chance(0.2), Unsorted = draw.Chance(0.3) };
        Add(SpGemm.Multiply(left, right, options).Sort(), results);
    }

    private static void Boolean(ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        int rows = draw.Length(120), inner = draw.Length(120), columns = draw.Length(400);
        CsrMatrix<bool> left = Matrix(draw, rows, inner, _ => true), right = Matrix(draw, inner, columns, _ => true);
        Add(SpGemm.Multiply<bool, OrAnd>(left, right, new() { Kernel = kernel }).Sort(), results);
    }

    private static CsrMatrix<T> Matrix<T>(ProblemDraw draw, int rows, int columns, Func<ProblemDraw, T> value) where T : unmanaged, IEquatable<T>
    {
        double density = draw.Pick(0.01, 0.05, 0.3);
        return SpGemmCases.Random(rows, columns, density, draw.Between(1, 1 << 20), _ => value(draw), draw.Chance(0.3));
    }

    private static void Add<T>(CsrMatrix<T> product, ResultHash results) where T : unmanaged, IEquatable<T>
    {
        results.Add(product.RowPointers);
        results.Add(product.Columns);
        results.Add(product.Values);
    }
}
