using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>vpdpbusd on 512 bits, through a shim in C++: managed code has it on 256 bits only.</summary>
internal static unsafe class VnniLoop
{
    public const int ProductsOfVpdpbusd = 64;

    // Four bytes of 1.
    private const int Ones = 0x01010101;

    private static readonly delegate* unmanaged<nint, int, int, int> s_run = Find();

    /// <summary>Whether the machine has the instruction, and a compiler for the shim.</summary>
    public static bool IsSupported => s_run is not null;

    /// <summary>What a lane gained in a step: 4.</summary>
    public static float Run(nint steps) => s_run(steps, Ones, Ones) / (float)steps;

    private static delegate* unmanaged<nint, int, int, int> Find()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        (nint library, string? reason) = NativeShim.Load("vnni_roof.cpp", "-O2");
        if (reason is not null || ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "vnni_is_supported"))() == 0)
            return null;
        return (delegate* unmanaged<nint, int, int, int>)NativeLibrary.GetExport(library, "vnni_run");
    }
}
