using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Compiled only where ILGPU cannot be restored, so that the absence of every GPU test shows in the results.</summary>
public class GpuLeftOutTests
{
    [SkippableFact]
    public void TheGpuBackendIsBuilt() =>
        Skip.If(true, "The GPU backend was left out of this build: ILGPU cannot be restored from the configured package sources.");
}
