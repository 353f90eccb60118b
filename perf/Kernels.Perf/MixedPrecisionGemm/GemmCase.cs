namespace Kernels.Perf;

/// <summary>A product: activations [RowCount, InputCount] times weights [OutputCount, InputCount] in four bits, group 128.</summary>
internal sealed record GemmCase(int InputCount, int OutputCount, int RowCount, GemmArithmetic Arithmetic)
{
    public string Name => $"k {InputCount} x n {OutputCount}, m {RowCount}, {(Arithmetic == GemmArithmetic.Exact ? "exact" : "int8 activations")}";

    public long WeightCount => (long)InputCount * OutputCount;

    /// <summary>A multiplication and an addition for each row and weight.</summary>
    public double Operations => 2.0 * RowCount * WeightCount;

    /// <summary>The largest error that passes, of the largest result. Eight-bit activations: what ONNX Runtime allows its own for their rounding.</summary>
    public double Tolerance => Arithmetic == GemmArithmetic.Exact ? 1e-5 : 2e-2;
}
