namespace Kernels.Tests;

/// <summary>Tests that measure the process and so run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneInTheProcess
{
    public const string Name = "alone in the process";
}

/// <summary>No call allocates, on any number of threads.</summary>
public abstract class SoftmaxAllocationTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsAllocated(string variant)
    {
        foreach (int threads in new[] { 1, 2 })
        {
            KernelOptions kernel = SoftmaxCases.Force(variant, threads);
            T[] logits = SoftmaxCases.Logits<T>(2 * 200_000, 4, 1), output = new T[logits.Length];
            var indices = new int[16];
            Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
            {
                Softmax.Compute<T>(logits, output, 200_000, new() { Kernel = kernel });
                Softmax.Compute<T>(logits.AsSpan(0, 8000), output, 1000, new() { Kernel = kernel, Scale = 2, AdditiveMask = logits.AsSpan(0, 1000) });
                Softmax.LogSoftmax<T>(logits, output, 200_000, new() { Kernel = kernel });
                Softmax.TopK<T>(logits, output, indices, 200_000, 8, new() { Kernel = kernel });
                Softmax.Compute<T>(logits, output, [1000, 400], 0, new() { Kernel = kernel });
                Softmax.Backward<T>(logits, logits, output, 200_000, new() { Kernel = kernel });
            }));
        }
    }
}

[Collection(AloneInTheProcess.Name)]
public sealed class SoftmaxAllocationTestsF32 : SoftmaxAllocationTests<float>;

[Collection(AloneInTheProcess.Name)]
public sealed class SoftmaxAllocationTestsF64 : SoftmaxAllocationTests<double>;

[Collection(AloneInTheProcess.Name)]
public sealed class SoftmaxAllocationTestsF16 : SoftmaxAllocationTests<Half>;

[Collection(AloneInTheProcess.Name)]
public sealed class SoftmaxAllocationTestsBF16 : SoftmaxAllocationTests<BrainFloat16>;
