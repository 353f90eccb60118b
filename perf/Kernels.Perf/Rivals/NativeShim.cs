using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>A few lines of C++ within this program, made into a library by the machine's own compiler when first asked for.</summary>
internal static class NativeShim
{
    /// <summary>The library, or 0 and the reason.</summary>
    /// <param name="source">The name of the embedded text.</param>
    /// <param name="flags">Of g++, beside those that make a shared library.</param>
    public static (nint Library, string? AbsentReason) Load(string source, params string[] flags)
    {
        string folder = Directory.CreateTempSubdirectory("kernels-shim").FullName;
        try
        {
            string file = Path.Combine(folder, source), library = Path.ChangeExtension(file, ".so");
            File.WriteAllText(file, EmbeddedText.Read(source));
            using Process compiler = Process.Start(
                new ProcessStartInfo("g++", ["-std=c++17", .. flags, "-shared", "-fPIC", file, "-o", library]) { RedirectStandardError = true })!;
            compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? (NativeLibrary.Load(library), null) : (0, $"absent: g++ did not compile {source}");
        }
        catch (Win32Exception)
        {
            return (0, "absent: there is no g++ (Debian: g++)");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
