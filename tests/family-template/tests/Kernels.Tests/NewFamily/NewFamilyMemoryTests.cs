namespace Kernels.Tests;

/// <summary>What the kernels do to memory: guarded, without allocation, the same bits on any number of threads and in any company.</summary>
public sealed class NewFamilyMemoryTests
{
    public static TheoryData<string> Variants => NewFamilyCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsTouchedBeyondTheSpans(string variant)
    {
        Skip.IfNot(GuardedMemory<float>.IsSupported, "guard pages are set with mmap and mprotect as Linux numbers their flags");
        KernelOptions kernel = NewFamilyCases.Force(variant);
        foreach ((int rows, int width) in NewFamilyCases.Shapes)
        {
            float[] numbers = new ProblemDraw(1).Normals<float>(rows * width, 1);
            foreach (bool guardAfter in new[] { true, false })
            {
                using GuardedMemory<float> input = new(numbers.Length, guardAfter), output = new(numbers.Length, guardAfter);
                numbers.CopyTo(input.Span);
                NewFamily.Compute(input.Span, output.Span, width, new() { Kernel = kernel });
                Assert.Equal(NewFamilyCases.Compute(numbers, width, kernel), output.Span);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NeitherThreadsNorBatchMatesChangeABit(string variant)
    {
        foreach ((int rows, int width) in NewFamilyCases.Shapes)
        {
            float[] input = new ProblemDraw(2).Normals<float>(rows * width, 1);
            float[] expected = NewFamilyCases.Compute(input, width, NewFamilyCases.Force(variant));
            foreach (int threads in new[] { 2, 3, 7 })
                Assert.Equal(expected, NewFamilyCases.Compute(input, width, NewFamilyCases.Force(variant, threads)));
            for (int row = 0; row < rows; row++)
            {
                Range own = (row * width)..((row + 1) * width);
                Assert.Equal(expected[own], NewFamilyCases.Compute(input[own], width, NewFamilyCases.Force(variant)));
            }
        }
    }

    [Fact]
    public void NothingIsAllocatedOnceWarm()
    {
        float[] input = new float[70 * 255], output = new float[input.Length];
        foreach (int threads in new[] { 1, 2 })
        {
            var kernel = new KernelOptions { MaxDegreeOfParallelism = threads };
            Assert.Equal(0, AllocationMeter.LeastPerRound(() => NewFamily.Compute(input, output, 255, new() { Kernel = kernel })));
        }
    }

    [Fact]
    public void CancellationEndsACall()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => NewFamilyCases.Compute(new float[6], 3, new() { CancellationToken = source.Token }));
    }
}
