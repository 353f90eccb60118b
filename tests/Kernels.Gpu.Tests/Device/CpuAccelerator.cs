using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>ILGPU's CPU accelerator, opened once for all tests that run on it: one at a time.</summary>
public sealed class CpuAccelerator : IDisposable
{
    public GpuDevice Device { get; } = GpuDevice.Open(GpuDeviceKind.Cpu);

    public void Dispose() => Device.Dispose();
}

[CollectionDefinition(Name)]
public sealed class CpuAcceleratorTests : ICollectionFixture<CpuAccelerator>
{
    public const string Name = "ILGPU's CPU accelerator";
}
