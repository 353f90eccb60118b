using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Realistic shapes through OpenCL, with the groups of a GPU: the bits of the CPU's exact product.</summary>
[Collection(PoclTests.Name)]
public sealed class MixedPrecisionGemmPoclTests(PoclDevice pocl)
{
    public static TheoryData<int> Formats => [.. Enumerable.Range(0, GemmGpuCases.Formats.Length)];

    [SkippableTheory]
    [MemberData(nameof(Formats))]
    public void BitsAreThoseOfTheExactProduct(int format)
    {
        using var gemm = new MixedPrecisionGemmGpu(pocl.OrSkip());
        Skip.IfNot(Fma.IsSupported, "this processor does not fuse multiply-adds, so the CPU's bits are not those of a device");
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 520, 1920), (8, 128, 960), (33, 200, 960) })
        {
            using QuantizedWeights weights = GemmGpuCases.Weights(outputs, inputs, GemmGpuCases.Formats[format]);
            GemmGpuCases.Check(gemm, weights, rows, GemmGpuCases.Numbers(outputs, 1), value => value);
            if (format == 0)
                GemmGpuCases.Check(gemm, weights, rows, bias: null, value => (Half)value);
        }
    }
}
