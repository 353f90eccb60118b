using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kernels.Perf;

/// <summary>
/// OpenBLAS through CBLAS: sgemv for one row, else sgemm. It picks its kernels by the processor's model, and for a model younger than itself those of 2004
/// (Prescott: SSE3). Where they are lesser than what the machine has, it is loaded again with OPENBLAS_CORETYPE set; the status names the kernels that run.
/// </summary>
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

    /// <summary>Names the kernels to use; read when the library is loaded.</summary>
    public const string CoreVariable = "OPENBLAS_CORETYPE";

    // driver/others/dynamic.c: the names of kernels for AVX-512 and for AVX2.
    private static readonly string[] s_avx512Cores = ["SkylakeX", "Cooperlake", "Sapphirerapids"], s_avx2Cores = ["Haswell", "Zen"];

    public static RivalStatus Status { get; } = Find();

    /// <summary>The kernels that this program made it take; null if its own choice, or the user's, was left.</summary>
    public static string? ForcedCore { get; private set; }

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
        if (OwnChoice() is not { } chosen)
            return new RivalStatus(Identity, "", NativeRival.AbsentReason("libopenblas0-pthread", Library));
        string[] best = Vector512.IsHardwareAccelerated ? s_avx512Cores : Vector256.IsHardwareAccelerated ? [.. s_avx2Cores, .. s_avx512Cores] : [chosen];
        bool isUsers = Environment.GetEnvironmentVariable(CoreVariable) is not null;
        if (!best.Contains(chosen, StringComparer.OrdinalIgnoreCase) && !isUsers)
        {
            ForcedCore = best[0];
            SetVariable(CoreVariable, ForcedCore, overwrite: 1);
        }
        string runs = Marshal.PtrToStringUTF8(GetCoreName())!;
        string choice = isUsers ? $", by {CoreVariable}" : ForcedCore is null ? "" : $", forced by {CoreVariable}; its own choice here: {chosen}";
        return new RivalStatus(Identity, $"{Marshal.PtrToStringUTF8(GetConfig())?.Trim()}, kernels for {runs}{choice}", null)
        {
            HeldBack = best.Contains(runs, StringComparer.OrdinalIgnoreCase) ? null : $"its kernels are for {runs}, the machine has those for {best[0]}",
        };
    }

    // The kernels it picks when left alone; null if it is absent. Unloaded again, so that the next one to load it may say otherwise.
    private static string? OwnChoice()
    {
        if (!NativeLibrary.TryLoad(Library, out nint library))
            return null;
        string? name = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "openblas_get_corename"))());
        NativeLibrary.Free(library);
        return name;
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
        int order, int transpose, int rows, int columns, float alpha, float* matrix, int rowStride, float* vector, int vectorStride, float beta, float* result,
        int resultStride);

    [LibraryImport(Library, EntryPoint = "cblas_sgemm")]
    private static partial void MultiplyMatrix(
        int order, int transposeLeft, int transposeRight, int rows, int columns, int depth, float alpha, float* left, int leftStride, float* right,
        int rightStride, float beta,
        float* result, int resultStride);
}
