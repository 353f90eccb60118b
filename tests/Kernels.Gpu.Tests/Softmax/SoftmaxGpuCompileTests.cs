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
public class SoftmaxGpuCompileTests
{
    public static TheoryData<string> Names => SoftmaxGpuKernelCases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void BecomesPtxThatLinksAndStaysInRegisters(string name)
    {
        using Context context = Context.Create(GpuDevice.Configure);
        using var backend = new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null!);
        string ptx = ((PTXCompiledKernel)backend.Compile(SoftmaxGpuKernelCases.EntryPoint(name), KernelSpecialization.Empty)).PTXAssembly;
        Assert.DoesNotContain(".extern .func", ptx, StringComparison.Ordinal);
        Assert.Contains("fma.rn.f32", ptx, StringComparison.Ordinal);
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
        string source = ((CLCompiledKernel)backend.Compile(SoftmaxGpuKernelCases.EntryPoint(name), KernelSpecialization.Empty)).Source;
        Assert.Contains("fma (", source, StringComparison.Ordinal);
        Skip.IfNot(OpenClCompiler.IsInstalled, $"{OpenClCompiler.Name} is not on the PATH: the OpenCL C was generated but not checked by a compiler");
        Assert.Equal("", OpenClCompiler.Diagnose(source));
    }
}
