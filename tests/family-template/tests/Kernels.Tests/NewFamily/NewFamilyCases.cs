using System.Runtime.Intrinsics;
using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>The variants, sizes and numbers that the tests of the family sweep.</summary>
internal static class NewFamilyCases
{
    public static TheoryData<string> Variants { get; } = [.. NewFamilyVariants.Table.Entries.ToArray().Select(entry => entry.Variant.Identity)];

    /// <summary>Around every edge of registers and of what the driver cuts.</summary>
    public static (int Rows, int Width)[] Shapes { get; } = [(1, 1), (3, 7), (2, 8), (5, 15), (4, 16), (3, 17), (2, 31), (1, 33), (70, 255), (3, 1000)];

    /// <summary>Options that force a variant, in software if need be; skips the test, with the reason, where that would take minutes.</summary>
    public static KernelOptions Force(string identity, int threads = 1)
    {
        KernelVariant variant = NewFamilyVariants.Table.Entries.ToArray().Select(entry => entry.Variant).Single(known => known.Identity == identity);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{identity}: {variant.Reason}");
        Skip.If(
            variant.Availability == VariantAvailability.Emulated && !Vector128.IsHardwareAccelerated,
            $"{identity}: without SIMD of any width, software vectors take minutes; the runs with SIMD emulate it");
        return new KernelOptions { Variant = identity, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    public static float[] Compute(float[] input, int width, KernelOptions kernel)
    {
        var output = new float[input.Length];
        NewFamily.Compute(input, output, width, new() { Kernel = kernel });
        return output;
    }
}
