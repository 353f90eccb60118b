using Kernels.Core.TensorBleu;

namespace Kernels.Tests;

/// <summary>Memory grows with the batch, not with its square.</summary>
[Collection(TensorBleuCases.NotInParallel)]
public sealed class TensorBleuMemoryTests
{
    [Fact]
    public void FourThousandLongCandidatesFitInTwoHundredMegabytes()
    {
        // 4,096 candidates of 1,024 ids with four references each; the ids are in the sum.
        const int batch = 4096, length = 1024, referenceCount = 4, vocabulary = 32_000, pad = vocabulary, limit = 200_000_000;
        var random = new Random(1);
        var tokens = new int[batch * length];
        foreach (ref int token in tokens.AsSpan())
            token = random.Next(vocabulary);
        var references = new int[tokens.Length * referenceCount];
        for (int i = 0; i < references.Length; i++)
            references[i] = random.Next(10) < 3 ? random.Next(vocabulary) : tokens[i / (referenceCount * length) * length + i % length];
        var scores = new double[batch];
        using var scorer = new BleuScorer();
        long before = GC.GetAllocatedBytesForCurrentThread();
        scorer.Score(TokenBatch.Padded<int>(tokens, length, pad), BleuReferences.Uniform(TokenBatch.Padded<int>(references, length, pad), referenceCount),
            scores, new() { Kernel = new() { MaxDegreeOfParallelism = 2 } });
        long inputs = (tokens.Length + references.Length) * (long)sizeof(int), own = GC.GetAllocatedBytesForCurrentThread() - before + scorer.ScratchBytes;
        Assert.True(inputs + own < limit, $"{inputs} bytes of ids and {own} of ours");
        Assert.All(scores, score => Assert.InRange(score, 0.1, 0.9));
    }

    private static long Modest(int largestGroup, int longestCandidate) => largestGroup + longestCandidate;

    private static long Refusing(int largestGroup, int longestCandidate) => throw new OverflowException();

    [Fact]
    public unsafe void SizesForWhichThereWasNoMemoryDoNotCount()
    {
        var owner = new object();
        using var workspace = new BleuWorkspace();
        workspace.Rent(owner, 1, 100, 50, &Modest);
        long held = workspace.Bytes;
        Assert.Throws<OverflowException>(() => workspace.Rent(owner, 1, int.MaxValue, 60, &Refusing));
        Assert.Equal((100, 50, held), (workspace.LargestGroup, workspace.LongestCandidate, workspace.Bytes));
        workspace.Rent(owner, 1, 100, 60, &Modest);
        Assert.Equal((100, 60, true), (workspace.LargestGroup, workspace.LongestCandidate, workspace.Bytes >= 160));
    }

    [Fact]
    public void NoCandidatesForNoPreparedReferences()
    {
        var prepared = new PreparedReferences<int>(TokenBatch.Ragged<int>([], []));
        using var scorer = new BleuScorer();
        scorer.Score(TokenBatch.Ragged<int>([], []), prepared, []);
        Assert.Equal(0, prepared.GroupCount);
    }
}
