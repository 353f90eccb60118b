using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>Finds out whether a rival's shared libraries are on this machine.</summary>
internal static class NativeRival
{
    /// <summary>Null if all libraries can be loaded; otherwise which cannot, and where it comes from.</summary>
    public static string? AbsentReason(string package, params ReadOnlySpan<string> libraries)
    {
        foreach (string library in libraries)
        {
            if (!NativeLibrary.TryLoad(library, out _))
                return $"absent: {library} is not installed (Debian: {package})";
        }
        return null;
    }
}
