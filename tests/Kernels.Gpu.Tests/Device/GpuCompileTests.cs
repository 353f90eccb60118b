using System.Globalization;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>What no device is needed for: every kernel becomes PTX and OpenCL C, and the text is what it should be. One context per kernel, because a failed
/// kernel spoils its context.</summary>
public partial class GpuCompileTests
{
    public static TheoryData<string> Names => GpuKernelCases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void BecomesPtxThatLinksAndStaysInRegisters(string name)
    {
        using Context context = Context.Create(GpuDevice.Configure);
        using var backend = new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null!);
        string ptx = ((PTXCompiledKernel)backend.Compile(GpuKernelCases.EntryPoint(name), KernelSpecialization.Empty)).PTXAssembly;
        Assert.DoesNotContain(".extern .func", ptx, StringComparison.Ordinal);
        // Approximations that ILGPU takes for MathF without being asked, and integers that go to float by way of double.
        foreach (string instruction in new[] { "tanh.approx", "ex2.approx", "lg2.approx", "sin.approx", "cos.approx", "cvt.rn.f64.u32" })
            Assert.DoesNotContain(instruction, ptx, StringComparison.Ordinal);
        Assert.InRange(SharedBytes(ptx), 0, 48 << 10);
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.Contains("ld.global", ptx, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void BecomesOpenClThatACompilerAccepts(string name)
    {
        using Context context = Context.Create(GpuDevice.Configure);
        // No half, no sub-groups: what the least of the accepted devices has.
        var capabilities = new CLCapabilityContext(float16: false, float64: true, genericAddressSpace: true, int64_Atomics: true, subGroups: false);
        using var backend = new CLBackend(context, capabilities, CLDeviceVendor.AMD, CLCVersion.CL20);
        string source = ((CLCompiledKernel)backend.Compile(GpuKernelCases.EntryPoint(name), KernelSpecialization.Empty)).Source;
        // A barrier that does not fence local memory leaves what other threads wrote to it unseen.
        Assert.DoesNotContain("work_group_barrier", source, StringComparison.Ordinal);
        Assert.DoesNotContain("__generic", source, StringComparison.Ordinal);
        Skip.IfNot(OpenClCompiler.IsInstalled, $"{OpenClCompiler.Name} is not on the PATH: the OpenCL C was generated but not checked by a compiler");
        Assert.Equal("", OpenClCompiler.Diagnose(source));
    }

    // Of arrays such as: .shared .align 16 .b8 __shared_alloca0[4096];
    private static int SharedBytes(string ptx) => SharedArray().Matches(ptx).Sum(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\.shared [^;\[]*\.b8 \w+\[(\d+)\];")]
    private static partial Regex SharedArray();
}
