using System.Runtime.CompilerServices;

namespace Kernels.Gpu.Tests;

/// <summary>The tests use whatever driver there is, under whichever name.</summary>
internal static class DriverLibraries
{
    [ModuleInitializer]
    internal static void Resolve() => GpuLibraries.ResolveVersionedNames();
}
