using System.Runtime.Intrinsics;
using Kernels.Core.Elements;

namespace Kernels.Tests;

/// <summary>The variants, row lengths and logits that the softmax tests sweep.</summary>
internal static class SoftmaxCases
{
    /// <summary>Identities of all variants of the catalogue for one element type; those absent are reported as skipped.</summary>
    public static TheoryData<string> Variants<T>() where T : unmanaged
    {
        var data = new TheoryData<string>();
        foreach (KernelVariant variant in KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants))
        {
            if (variant.Family == "softmax" && variant.Types == TypeName.Of<T>())
                data.Add(variant.Identity);
        }
        return data;
    }

    /// <summary>Options that force a variant, in software if need be; skips the test, with the catalogue's reason, if the variant cannot run at all.</summary>
    public static KernelOptions Force(string identity, int threads = 1)
    {
        KernelVariant variant = KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants).Single(v => v.Identity == identity);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{identity}: {variant.Reason}");
        Skip.If(variant.Availability == VariantAvailability.Emulated && !Vector128.IsHardwareAccelerated,
            $"{identity}: without SIMD of any width, software vectors take minutes; the runs with SIMD emulate it");
        return new KernelOptions { Variant = identity, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    /// <summary>Every length up to 257, then around the block (2048), the scratch (4096, 8192) and the chunk (65536) of the driver.</summary>
    public static IEnumerable<int> Lengths() => Enumerable.Range(0, 258)
        .Concat([511, 512, 513, 2047, 2048, 2049, 4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536, 65537, 131073]);

    /// <summary>Normal logits of the given spread, rounded to T.</summary>
    public static T[] Logits<T>(int count, double spread, int seed) where T : unmanaged
    {
        var random = new Random(seed);
        var logits = new T[count];
        for (int i = 0; i < count; i++)
            logits[i] = Element.FromDouble<T>(spread * Normal(random));
        return logits;
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
