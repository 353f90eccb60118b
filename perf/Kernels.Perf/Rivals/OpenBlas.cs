using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>OpenBLAS through CBLAS: sgemv for one row, else sgemm. It picks its kernels by processor unless OPENBLAS_CORETYPE says otherwise; the status names them.</summary>
internal static unsafe partial class OpenBlas
{
    public const string Identity = "rival/openblas";

    /// <summary>Rounding alone: a larger error means another problem.</summary>
    public const double Tolerance = 1e-2;

    private const string Library = "libopenblas.so.0";

    // CBLAS: CblasRowMajor, CblasNoTrans, CblasTrans.
    private const int RowMajor = 101, NoTranspose = 111, Transpose = 112;

    // Its threads spin for 2^26 cycles after their work, longer than the pause between samples, and would take the next contender's core. 2^22, some 1.5 ms,
    // keep them awake within a sample. Read once, when the library is loaded.
    private const string SpinVariable = "OPENBLAS_THREAD_TIMEOUT", SpinExponent = "22";

    public static RivalStatus Status { get; } = Find();

    /// <summary>output[rows, outputs] = activations[rows, inputs] weights[outputs, inputs]^T.</summary>
    public static void Multiply(float* activations, float* weights, float* output, int rows, int outputs, int inputs, int threads)
    {
        SetThreads(threads);
        if (rows == 1)
            MultiplyVector(RowMajor, NoTranspose, outputs, inputs, 1, weights, inputs, activations, 1, 0, output, 1);
        else
            MultiplyMatrix(RowMajor, NoTranspose, Transpose, rows, outputs, inputs, 1, activations, inputs, weights, inputs, 0, output, outputs);
    }

    private static RivalStatus Find()
    {
        // .NET keeps its own copy of the environment.
        SetVariable(SpinVariable, SpinExponent, overwrite: 0);
        return NativeRival.AbsentReason("libopenblas0-pthread", Library) is { } reason
            ? new RivalStatus(Identity, "", reason)
            : new RivalStatus(Identity, $"{Marshal.PtrToStringUTF8(GetConfig())?.Trim()}, kernels for {Marshal.PtrToStringUTF8(GetCoreName())}", null);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport(Library, EntryPoint = "openblas_get_config")]
    private static partial nint GetConfig();

    [LibraryImport(Library, EntryPoint = "openblas_get_corename")]
    private static partial nint GetCoreName();

    [LibraryImport(Library, EntryPoint = "openblas_set_num_threads")]
    private static partial void SetThreads(int threads);

    [LibraryImport(Library, EntryPoint = "cblas_sgemv")]
    private static partial void MultiplyVector(
        int order, int transpose, int rows, int columns, float alpha, float* matrix, int rowStride, float* vector, int vectorStride, float beta, float* result, int resultStride);

    [LibraryImport(Library, EntryPoint = "cblas_sgemm")]
    private static partial void MultiplyMatrix(
        int order, int transposeLeft, int transposeRight, int rows, int columns, int depth, float alpha, float* left, int leftStride, float* right, int rightStride, float beta,
        float* result, int resultStride);
}
