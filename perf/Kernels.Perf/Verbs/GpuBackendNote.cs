using System.Reflection;

namespace Kernels.Perf;

/// <summary>Whether this build has the GPU backend, and if not, the build's reason.</summary>
internal static class GpuBackendNote
{
    /// <summary>The reason, or null if the backend is in this build.</summary>
    public static string? LeftOutReason { get; } =
        typeof(GpuBackendNote).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(entry => entry.Key == "GpuLeftOutReason")?.Value;

    public static string Text => LeftOutReason ?? "in this build: kernels/Gpu, on ILGPU; runs only on a device that the caller hands in";
}
