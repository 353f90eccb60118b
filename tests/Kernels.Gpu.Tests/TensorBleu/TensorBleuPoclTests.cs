using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Batches of sentences through OpenCL, with the groups of a GPU: the counts of the CPU.</summary>
[Collection(PoclTests.Name)]
public sealed class TensorBleuPoclTests(PoclDevice pocl)
{
    [SkippableTheory]
    [InlineData(40, 1, 60, 6, 4)]
    [InlineData(8, 4, 700, 30, 5)]
    public void CountsAreThoseOfTheCpu(int candidates, int perCandidate, int longest, int vocabulary, int order)
    {
        using var bleu = new TensorBleuGpu(pocl.OrSkip());
        BleuGpuCases.Check(bleu, candidates, perCandidate, longest, vocabulary, order);
    }
}
