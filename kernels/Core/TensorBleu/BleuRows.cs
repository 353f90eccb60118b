using System.Numerics;

namespace Kernels.Core.TensorBleu;

/// <summary>
/// Candidates and their references with pinned memory, as backends see them. Candidate c belongs to group c / <see cref="CandidatesPerGroup"/>.
/// </summary>
internal readonly unsafe struct BleuRows<T> where T : unmanaged, IBinaryInteger<T>
{
    public required TokenRows<T> Candidates { get; init; }

    public required TokenRows<T> References { get; init; }

    public required int* GroupOffsets { get; init; }

    public required int ReferencesPerGroup { get; init; }

    public required int CandidatesPerGroup { get; init; }

    /// <summary>Whether sequences of length 0 are references.</summary>
    public required bool KeepEmptyRows { get; init; }

    /// <summary>The number of orders to count.</summary>
    public required int OrderCount { get; init; }

    /// <summary>
    /// The rules of <see cref="BleuOptions.TensorBleuCompatible"/> that concern counting: pad tokens inside a row break n-grams and do not count in lengths,
    /// and of equally close reference lengths the first counts.
    /// </summary>
    public required bool Compatible { get; init; }

    /// <summary>The most tokens of a candidate: what scratch must hold.</summary>
    public required int LongestCandidate { get; init; }

    /// <summary>The most tokens of all references of one candidate together, and one more for each reference.</summary>
    public required int LargestGroup { get; init; }

    public (int Begin, int End) Group(int group) => GroupOffsets == null
        ? (group * ReferencesPerGroup, (group + 1) * ReferencesPerGroup)
        : (GroupOffsets[group], GroupOffsets[group + 1]);

    /// <summary>The length as the brevity penalty sees it.</summary>
    public long LengthOf(in TokenRows<T> rows, ReadOnlySpan<T> sequence) =>
        Compatible && rows.IsPadded ? sequence.Length - sequence.Count(rows.PadToken) : sequence.Length;

    /// <summary>Whether a sequence holds tokens that break n-grams.</summary>
    public bool IsBroken(in TokenRows<T> rows, ReadOnlySpan<T> sequence) => Compatible && rows.IsPadded && sequence.Contains(rows.PadToken);
}
