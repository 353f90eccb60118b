using System.Diagnostics;

namespace Kernels.Gpu.Tests;

/// <summary>Clang as a type checker of OpenCL C.</summary>
internal static class OpenClCompiler
{
    public const string Name = "clang-15";

    // The built-in functions of OpenCL 2.0 are declared in a header that clang carries with it.
    private const string Arguments = "-x cl -cl-std=CL2.0 -target spir64 -Xclang -finclude-default-header -Xclang -cl-ext=+cl_khr_fp64 -fsyntax-only -";

    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Name)));

    /// <summary>The compiler's errors, or an empty string.</summary>
    public static string Diagnose(string source)
    {
        using Process compiler = Process.Start(new ProcessStartInfo(Name, Arguments) { RedirectStandardInput = true, RedirectStandardError = true })!;
        Task<string> diagnostics = compiler.StandardError.ReadToEndAsync();
        compiler.StandardInput.Write(source);
        compiler.StandardInput.Close();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? "" : diagnostics.Result;
    }
}
