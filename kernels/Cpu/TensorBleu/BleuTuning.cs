namespace Kernels.Cpu.TensorBleu;

/// <summary>The sizes that steer the BLEU drivers.</summary>
internal static class BleuTuning
{
    /// <summary>
    /// Candidate tokens that a thread takes at a time: some three microseconds of work, thirty times a ticket's cost. One thread waits for half of it in the
    /// end.
    /// </summary>
    private const int GrainTokens = 256;

    /// <summary>Candidates that a thread takes at a time.</summary>
    public static long Grain(int longestCandidate) => Math.Max(1, GrainTokens / Math.Max(1, longestCandidate));
}
