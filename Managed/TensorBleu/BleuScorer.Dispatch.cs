using System.Numerics;
using System.Runtime.InteropServices;
using Kernels.Core.Checks;
using Kernels.Core.TensorBleu;
using Kernels.Core.Threading;
using Kernels.Managed;

namespace Kernels;

// From checked spans to a backend: the last place where spans are seen, the only one where they are pinned.
public sealed partial class BleuScorer
{
    // Tokens, of candidates and references, below which a second thread costs more than it saves: some 200 microseconds of work. To wake a pool thread that
    // rests costs the caller up to 30 of them, and it was seen to begin only after 100.
    private const long ParallelTokenCount = 32_768;

    private BleuStatistics[] _statistics = [];

    private unsafe void Count<T>(TokenBatch<T> candidates, BleuReferences<T> references, Span<BleuStatistics> results, Span<double> scores,
        in BleuOptions options) where T : unmanaged, IBinaryInteger<T>
    {
        IBleuBackend<T> backend = TensorBleuVariants<T>.Table.Select(options.Kernel);
        fixed (T* tokens = candidates.Tokens, referenceTokens = references.Sequences.Tokens)
        fixed (int* offsets = candidates.Offsets, referenceOffsets = references.Sequences.Offsets, groups = references.GroupOffsets)
        fixed (BleuStatistics* statistics = results)
        fixed (double* weights = options.Weights, scored = scores)
        {
            var rows = new BleuRows<T>
            {
                Candidates = new TokenRows<T>(candidates, tokens, offsets),
                References = new TokenRows<T>(references.Sequences, referenceTokens, referenceOffsets),
                GroupOffsets = references.GroupOffsets.IsEmpty ? null : groups,
                ReferencesPerGroup = references.PerGroup,
                CandidatesPerGroup = 1,
                KeepEmptyRows = references.KeepEmptyRows || options.TensorBleuCompatible,
                OrderCount = options.CountedOrder,
                Compatible = options.TensorBleuCompatible,
                LongestCandidate = candidates.LongestLength,
                LargestGroup = references.LargestGroupLength,
            };
            var output = new BleuResults(statistics, new BleuFormula(options, weights, options.WeightSetCount), scored);
            int threads = ThreadCount((long)candidates.Tokens.Length + references.Sequences.Tokens.Length, options.Kernel);
            backend.Count(rows, prepared: null, output, _workspace, threads, options.Kernel.CancellationToken);
        }
        GC.KeepAlive(this);
    }

    private unsafe void Count<T>(TokenBatch<T> candidates, PreparedReferences<T> references, Span<BleuStatistics> results, Span<double> scores,
        in BleuOptions options) where T : unmanaged, IBinaryInteger<T>
    {
        fixed (T* tokens = candidates.Tokens)
        fixed (int* offsets = candidates.Offsets)
        fixed (BleuStatistics* statistics = results)
        fixed (double* weights = options.Weights, scored = scores)
        {
            BleuRows<T> rows = references.Rows with
            {
                Candidates = new TokenRows<T>(candidates, tokens, offsets),
                // Without groups there are no candidates.
                CandidatesPerGroup = candidates.Count / Math.Max(1, references.GroupCount),
                OrderCount = options.CountedOrder,
                LongestCandidate = candidates.LongestLength,
            };
            var output = new BleuResults(statistics, new BleuFormula(options, weights, options.WeightSetCount), scored);
            int threads = ThreadCount(candidates.Tokens.Length, options.Kernel);
            references.Backend.Count(rows, references.Tables, output, _workspace, threads, options.Kernel.CancellationToken);
        }
        // The rows point into arrays that nobody but the references holds, and the workspace frees its memory when it is garbage.
        GC.KeepAlive(references);
        GC.KeepAlive(this);
    }

    private Span<BleuStatistics> Buffer(int count)
    {
        if (_statistics.Length < count)
            _statistics = GC.AllocateUninitializedArray<BleuStatistics>((int)BitOperations.RoundUpToPowerOf2((uint)count));
        return _statistics.AsSpan(0, count);
    }

    private static int ThreadCount(long tokenCount, in KernelOptions options) =>
        ThreadPolicy.Threads(tokenCount, ParallelTokenCount, options, BleuWorkspace.MaxLanes);

    private static void CheckScores<T>(TokenBatch<T> candidates, ReadOnlySpan<double> scores, in BleuOptions options) where T : unmanaged, IBinaryInteger<T>
    {
        Check.AtLeast(scores.Length, (long)candidates.Count * options.WeightSetCount, nameof(scores));
        if (MemoryMarshal.AsBytes(candidates.Tokens).Overlaps(MemoryMarshal.AsBytes(scores)))
            throw new ArgumentException("the span overlaps the candidates", nameof(scores));
    }
}
