using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Largest votes of neighbourhoods.</summary>
internal static unsafe class VotePooling
{
    /// <summary>
    /// pooled[i] is the largest of votes[i - reach] to votes[i + reach], as far as there are any. Three comparisons a vote whatever the reach (van Herk 1992;
    /// Gil and Werman 1993): a neighbourhood is the end of one block of 2 reach + 1 votes and the beginning of the next.
    /// </summary>
    public static void Largest(Span<float> votes, int reach)
    {
        int last = votes.Length - 1;
        long block = 2L * reach + 1;
        if (last < 0)
            return;
        using RentedScratch scratch = RentedScratch.Of(2L * votes.Length, out float* memory);
        // Of a vote's block: the largest up to it, and from it on.
        Span<float> upTo = new(memory, votes.Length), from = new(memory + votes.Length, votes.Length);
        for (int i = 0; i <= last; i++)
            upTo[i] = i % block == 0 ? votes[i] : MathF.Max(upTo[i - 1], votes[i]);
        for (int i = last; i >= 0; i--)
            from[i] = i == last || (i + 1) % block == 0 ? votes[i] : MathF.Max(from[i + 1], votes[i]);
        for (int i = 0; i <= last; i++)
        {
            int first = Math.Max(0, i - reach), end = (int)Math.Min(last, (long)i + reach);
            bool isInOneBlock = first / block == end / block;
            // In one block a neighbourhood begins at its start, or ends at its end or the last vote.
            votes[i] = !isInOneBlock ? MathF.Max(from[first], upTo[end]) : first % block == 0 ? upTo[end] : from[first];
        }
    }
}
