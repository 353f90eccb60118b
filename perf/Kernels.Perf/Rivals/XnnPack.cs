using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>The parts of XNNPACK's C interface that are common to all operators, and its thread pool.</summary>
internal static partial class XnnPack
{
    public const string Library = "libXNNPACK.so.0";

    private const string PoolLibrary = "libpthreadpool.so.0";

    public static string? AbsentReason { get; } = NativeRival.AbsentReason("libxnnpack-dev", Library, PoolLibrary) ?? Initialised();

    public static void Demand(int status)
    {
        if (status != 0)
            throw new InvalidOperationException($"XNNPACK answered with status {status}");
    }

    private static string? Initialised() => Initialise(0) is var status and not 0 ? $"absent: xnn_initialize answered with status {status}" : null;

    [LibraryImport(Library, EntryPoint = "xnn_initialize")]
    private static partial int Initialise(nint allocator);

    [LibraryImport(Library, EntryPoint = "xnn_run_operator")]
    public static partial int Run(nint operation, nint pool);

    [LibraryImport(Library, EntryPoint = "xnn_delete_operator")]
    public static partial int Delete(nint operation);

    [LibraryImport(PoolLibrary, EntryPoint = "pthreadpool_create")]
    public static partial nint CreatePool(nuint threads);

    [LibraryImport(PoolLibrary, EntryPoint = "pthreadpool_destroy")]
    public static partial void DestroyPool(nint pool);
}
