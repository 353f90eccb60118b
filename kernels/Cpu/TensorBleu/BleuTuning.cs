namespace Kernels.Cpu;

/// <summary>The sizes that steer the BLEU drivers.</summary>
internal static class BleuTuning
{
    /// <summary>Candidate tokens that a thread takes at a time: some ten microseconds of work, a hundred times a ticket's cost.</summary>
    private const int GrainTokens = 512;

    /// <summary>Candidates that a thread takes at a time.</summary>
    public static long Grain(int longestCandidate) => Math.Max(1, GrainTokens / Math.Max(1, longestCandidate));
}
