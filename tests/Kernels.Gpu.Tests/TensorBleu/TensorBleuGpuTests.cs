using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Few sentences on ILGPU's CPU accelerator: the counts of the CPU.</summary>
[Collection(CpuAcceleratorTests.Name)]
public sealed class TensorBleuGpuTests(CpuAccelerator accelerator)
{
    [Theory]
    [InlineData(5, 1, 20, 3, 4)]
    [InlineData(3, 3, 40, 5, 8)]
    [InlineData(4, 2, 12, 1, 2)]
    [InlineData(2, 1, 1, 2, 1)]
    public void CountsAreThoseOfTheCpu(int candidates, int perCandidate, int longest, int vocabulary, int order)
    {
        // Two candidates a launch: more launches than one.
        using var bleu = new TensorBleuGpu(accelerator.Device, candidatesPerLaunch: 2);
        BleuGpuCases.Check(bleu, candidates, perCandidate, longest, vocabulary, order);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PaddingIsLeftOut(bool keepEmptyRows)
    {
        using var bleu = new TensorBleuGpu(accelerator.Device);
        // A pad token inside a row is a token; a row of padding alone is a reference only if it is kept.
        int[] candidates = [1, 2, 0, 3, 0, 0, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0];
        int[] references = [1, 2, 0, 3, 5, 0, 0, 0, 0, 0, 0, 0, 4, 4, 0, 0, 0, 0, 4, 4, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        BleuStatistics expected = TensorBleu.Accumulate(TokenBatch.Padded<int>(candidates, 6, 0),
            BleuReferences.Uniform(TokenBatch.Padded<int>(references, 6, 0), 2, keepEmptyRows));
        Assert.Equal(expected, bleu.Accumulate(TokenBatch.Padded<int>(candidates, 6, 0),
            BleuReferences.Uniform(TokenBatch.Padded<int>(references, 6, 0), 2, keepEmptyRows)));
    }

    [Fact]
    public void NoSentenceAndNoReferences()
    {
        using var bleu = new TensorBleuGpu(accelerator.Device);
        Assert.Equal(default, bleu.Accumulate(default, default));
        int[] tokens = [1, 2, 3], offsets = [0, 3], none = [0, 0];
        BleuStatistics expected = TensorBleu.Accumulate(TokenBatch.Ragged<int>(tokens, offsets), BleuReferences.Grouped<int>(default, none));
        Assert.Equal(expected, bleu.Accumulate(TokenBatch.Ragged<int>(tokens, offsets), BleuReferences.Grouped<int>(default, none)));
    }

    [Fact]
    public void BadArgumentsAreNamed()
    {
        using var bleu = new TensorBleuGpu(accelerator.Device);
        using GpuTokens two = GpuTokens.Upload(accelerator.Device, TokenBatch.Ragged<int>([1, 2], [0, 1, 2]));
        using GpuBleuReferences one = GpuBleuReferences.Upload(accelerator.Device, TokenBatch.Ragged<int>([1], [0, 1])),
            both = GpuBleuReferences.Upload(accelerator.Device, TokenBatch.Ragged<int>([1, 2], [0, 1, 2]));
        var statistics = new BleuStatistics[2];
        Assert.Throws<ArgumentNullException>("candidates", () => bleu.Statistics(null!, one, statistics));
        Assert.Throws<ArgumentNullException>("references", () => bleu.Statistics(two, null!, statistics));
        Assert.Throws<ArgumentException>("references", () => bleu.Statistics(two, one, statistics));
        Assert.Throws<ArgumentException>("statistics", () => bleu.Statistics(two, both, new BleuStatistics[1]));
        Assert.Throws<ArgumentOutOfRangeException>("MaxOrder", () => bleu.Statistics(two, both, statistics, new() { MaxOrder = 9 }));
        Assert.Throws<NotSupportedException>(() => bleu.Statistics(two, both, statistics, new() { TensorBleuCompatible = true }));
        Assert.Throws<ArgumentException>("Variant", () => bleu.Statistics(two, both, statistics, new() { Kernel = new() { Variant = "nonsense" } }));
        Assert.Throws<OperationCanceledException>(() =>
            bleu.Statistics(two, both, statistics, new() { Kernel = new() { CancellationToken = new(canceled: true) } }));
        Assert.Throws<ArgumentOutOfRangeException>("candidatesPerLaunch", () => new TensorBleuGpu(accelerator.Device, 0));
        using GpuDevice other = GpuDevice.Open(GpuDeviceKind.Cpu);
        using var elsewhere = new TensorBleuGpu(other);
        Assert.Throws<ArgumentException>("candidates", () => elsewhere.Statistics(two, both, statistics));
    }
}
