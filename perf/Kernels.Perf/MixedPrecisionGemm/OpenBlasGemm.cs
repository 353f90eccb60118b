namespace Kernels.Perf;

/// <summary>OpenBLAS on the dequantised weights.</summary>
internal static unsafe class OpenBlasGemm
{
    public static IContender Open(GemmBuffers buffers, ProductOracle oracle, int threads)
    {
        return new CallContender(OpenBlas.Identity, threads, buffers.Weights.Dequantized.Length, OpenBlas.Tolerance, Call, oracle.LargestError);

        void Call(int buffer)
        {
            (int rows, int inputs, int outputs) = (buffers.Case.RowCount, buffers.Case.InputCount, buffers.Case.OutputCount);
            OpenBlas.Multiply(buffers.Activations.Pointer, buffers.Weights.Dequantized[buffer].Pointer, buffers.Output.Pointer, rows, outputs, inputs, threads);
        }
    }
}
