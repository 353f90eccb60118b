using System.Runtime.InteropServices;
using ILGPU;

namespace Kernels.Gpu;

/// <summary>
/// The driver libraries that ILGPU loads. It asks for their unversioned names, which many Linux systems have only in development packages;
/// a driver that is there may then go unseen.
/// </summary>
public static class GpuLibraries
{
    internal const string OpenCl = "OpenCL", Cuda = "cuda";

    /// <summary>
    /// Lets ILGPU find libOpenCL.so.1 and libcuda.so.1. Call it once, before any other use of ILGPU in the process; an assembly takes only one
    /// resolver, so a program that sets its own for ILGPU must not call this.
    /// </summary>
    /// <exception cref="InvalidOperationException">ILGPU already has a resolver.</exception>
    public static void ResolveVersionedNames() =>
        NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (name, _, _) =>
        Versioned(name) is { } versioned && NativeLibrary.TryLoad(versioned, out nint handle) ? handle : 0);

    /// <summary>Whether the driver library is there, under which name.</summary>
    internal static string Describe(string name)
    {
        if (CanLoad(name))
            return $"the library '{name}' loads, but it offers no device that ILGPU accepts";
        return Versioned(name) is { } versioned && CanLoad(versioned)
            ? $"the library '{name}' does not load, but {versioned} does: call {nameof(GpuLibraries)}.{nameof(ResolveVersionedNames)} first"
            : $"the library '{name}' does not load";
    }

    private static string? Versioned(string name) => !OperatingSystem.IsLinux() ? null : name switch
    {
        OpenCl => "libOpenCL.so.1",
        Cuda => "libcuda.so.1",
        _ => null,
    };

    private static bool CanLoad(string name)
    {
        // With an assembly, so that the name is completed (libOpenCL.so, OpenCL.dll) as it is for ILGPU.
        if (!NativeLibrary.TryLoad(name, typeof(Context).Assembly, null, out nint handle))
            return false;
        NativeLibrary.Free(handle);
        return true;
    }
}
