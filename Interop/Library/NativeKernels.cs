using System.Reflection;
using System.Runtime.InteropServices;

namespace Kernels.Native.Library;

/// <summary>
/// The native library: found beside the assembly (a project build puts it there) or where the runtime looks for a package's native files,
/// loaded once, and compared with the version of the C ABI that this assembly was written for.
/// </summary>
internal static class NativeKernels
{
    public const string LibraryName = "kernels_native";

    /// <summary>KERNELS_ABI_VERSION of the headers that the declarations here mirror.</summary>
    public const int AbiVersion = 5;

    private const int StatusOk = 0;

    private static readonly Lazy<string> s_absence = new(Load);

    /// <summary>Why nothing of the library can be called; empty if it can.</summary>
    public static string Absence => s_absence.Value;

    /// <summary>Why the library's kernels for an instruction set cannot run here; empty if they can.</summary>
    public static string AbsenceOf(int isa) =>
        Absence.Length > 0 ? Absence :
        KernelsNativeMethods.CpuSupports(isa) == StatusOk ? "" : StatusMessage(KernelsNativeMethods.CpuSupports(isa));

    /// <summary>Turns a status into an exception. Arguments were checked at the public door: a refusal is a defect of this library.</summary>
    public static void Check(int status)
    {
        if (status != StatusOk)
            throw new InvalidOperationException($"The native library refused a call: {StatusMessage(status)}.");
    }

    private static string Load()
    {
        Assembly assembly = typeof(NativeKernels).Assembly;
        if (!NativeLibrary.TryLoad(LibraryName, assembly, searchPath: null, out _))
            return $"the native library {LibraryName} was not found or cannot be loaded";
        try
        {
            int found = KernelsNativeMethods.AbiVersion();
            return found == AbiVersion ? "" : $"the native library has ABI version {found}; version {AbiVersion} is needed";
        }
        catch (EntryPointNotFoundException)
        {
            return $"the native library {LibraryName} that was found has no ABI version";
        }
    }

    private static unsafe string StatusMessage(int status) => Marshal.PtrToStringUTF8((nint)KernelsNativeMethods.StatusMessage(status)) ?? "";
}
