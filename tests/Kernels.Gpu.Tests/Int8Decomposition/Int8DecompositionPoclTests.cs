using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Realistic shapes through OpenCL, with the groups of a GPU: the bits of the CPU's product.</summary>
[Collection(PoclTests.Name)]
public sealed class Int8DecompositionPoclTests(PoclDevice pocl)
{
    [SkippableTheory]
    [InlineData(1, 500, 2000)]
    [InlineData(7, 260, 1030)]
    [InlineData(35, 130, 999)]
    public void BitsAreThoseOfTheCpu(int rows, int outputs, int inputs)
    {
        using var int8 = new Int8DecompositionGpu(pocl.OrSkip());
        Skip.IfNot(Fma.IsSupported, "this processor does not fuse multiply-adds, so the CPU's bits are not those of a device");
        Int8Weights weights = Int8GpuCases.Weights(outputs, inputs);
        float[] activations = Int8GpuCases.Activations(rows, inputs);
        Int8GpuCases.Check(int8, weights, activations, bias: GemmGpuCases.Numbers(outputs, 1));
        Int8GpuCases.Check(int8, weights, activations, threshold: 0.5f);
    }
}
