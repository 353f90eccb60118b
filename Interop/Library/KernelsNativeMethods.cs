using System.Runtime.InteropServices;

namespace Kernels.Native.Library;

/// <summary>The exports of <c>native/include/kernels/kernels.h</c>.</summary>
internal static unsafe partial class KernelsNativeMethods
{
    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_abi_version")]
    public static partial int AbiVersion();

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_cpu_supports")]
    public static partial int CpuSupports(int isa);

    [LibraryImport(NativeKernels.LibraryName, EntryPoint = "kernels_status_message")]
    public static partial byte* StatusMessage(int status);
}
