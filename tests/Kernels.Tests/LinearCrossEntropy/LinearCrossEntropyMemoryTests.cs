namespace Kernels.Tests;

/// <summary>What the kernels do to memory: guarded, without allocation, far less of it than logits, the same bits on any number of threads and in
/// any company.</summary>
public sealed class LinearCrossEntropyMemoryTests
{
    public static TheoryData<string> Variants => LinearCrossEntropyCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsTouchedBeyondTheSpans(string variant)
    {
        Skip.IfNot(GuardedMemory<float>.IsSupported, "guard pages are set with mmap and mprotect as Linux numbers their flags");
        KernelOptions kernel = LinearCrossEntropyCases.Force(variant);
        foreach (LinearClassifierShape shape in new LinearClassifierShape[] { new(1, 1, 1), new(3, 5, 7), new(9, 17, 33), new(65, 3, 300) })
        {
            var data = new ClassifierData(shape, hasBias: true);
            data.Run(kernel);
            foreach (bool guardAfter in new[] { true, false })
            {
                using GuardedMemory<float> hidden = Guarded(data.Hidden), weights = Guarded(data.Weights), bias = Guarded(data.Bias);
                using GuardedMemory<int> targets = Guarded(data.Targets);
                using GuardedMemory<float> losses = new(shape.TokenCount, guardAfter), logProbabilities = new(shape.TokenCount, guardAfter),
                    logSumExp = new(shape.TokenCount, guardAfter);
                var options = new LinearCrossEntropyOptions { Bias = bias.Span, Kernel = kernel };
                LinearCrossEntropy.TokenLosses(hidden.Span, weights.Span, targets.Span, losses.Span, shape, options);
                LinearCrossEntropy.LogProbabilities(hidden.Span, weights.Span, targets.Span, logProbabilities.Span, logSumExp.Span, shape, options);
                Assert.Equal(data.Losses, losses.Span);
                Assert.Equal(data.LogProbabilities, logProbabilities.Span);
                Assert.Equal(data.LogSumExp, logSumExp.Span);

                GuardedMemory<T> Guarded<T>(T[] values) where T : unmanaged
                {
                    var memory = new GuardedMemory<T>(values.Length, guardAfter);
                    values.CopyTo(memory.Span);
                    return memory;
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NeitherThreadsNorBatchMatesChangeABit(string variant)
    {
        // Few words and many tokens, of more than a block; many words of several stretches, and few tokens.
        foreach (LinearClassifierShape shape in new LinearClassifierShape[] { new(1100, 3, 20), new(70, 9, 300), new(5, 2, 17_000) })
        {
            var data = new ClassifierData(shape);
            data.Run(LinearCrossEntropyCases.Force(variant));
            byte[] expected = LinearCrossEntropyCases.Bits(data, 0, shape.TokenCount);
            foreach (int threads in new[] { 2, 3, 7, int.MaxValue })
            {
                data.Run(LinearCrossEntropyCases.Force(variant, threads));
                Assert.Equal(expected, LinearCrossEntropyCases.Bits(data, 0, shape.TokenCount));
            }
            foreach ((int first, int count) in new[] { (0, 1), (shape.TokenCount - 1, 1), (1, 3), (shape.TokenCount / 2, 2), (1, shape.TokenCount - 1) })
            {
                ClassifierData few = data.Tokens(first, count);
                few.Run(LinearCrossEntropyCases.Force(variant, 2));
                Assert.Equal(LinearCrossEntropyCases.Bits(data, first, count), LinearCrossEntropyCases.Bits(few, 0, count));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsAllocatedOnceWarm(string variant)
    {
        Skip.IfNot(LinearCrossEntropyCases.IsAvailable(variant), "the runtime's vectors in software allocate until they are compiled a second time");
        var data = new ClassifierData(new(40, 16, 700));
        float[] losses = new float[40], logProbabilities = new float[40], logSumExp = new float[40];
        foreach (int threads in new[] { 1, 2 })
        {
            KernelOptions kernel = LinearCrossEntropyCases.Force(variant, threads);
            Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
            {
                LinearCrossEntropy.TokenLosses(data.Hidden, data.Weights, data.Targets, losses, data.Shape, new() { Kernel = kernel });
                LinearCrossEntropy.LogProbabilities(data.Hidden, data.Weights, data.Targets, logProbabilities, logSumExp, data.Shape,
                    new() { Kernel = kernel });
            }));
        }
    }

    [Fact]
    public void ExtraMemoryIsATileAndSums()
    {
        // 128 MiB of logits. Rented: a tile of 1024 tokens by 256 words, their sums in 63 stretches of 16 bytes, and what the product lays out; the
        // pool rounds each up to a power of two.
        const long tile = 1024 * 256 * sizeof(float), sums = 1024 * 64 * 16, product = 1 << 20, poolRounding = 2;
        var data = new ClassifierData(new(1024, 2, 32_000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        LinearCrossEntropy.Loss(data.Hidden, data.Weights, data.Targets, data.Shape, new() { Kernel = new() { MaxDegreeOfParallelism = 1 } });
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(allocated, 0, poolRounding * (tile + sums + product));
    }

    [Fact]
    public void CancellationEndsACall()
    {
        var data = new ClassifierData(new(4, 16, 64));
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => data.Run(new() { CancellationToken = source.Token }));
    }
}
