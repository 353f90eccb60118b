using System.Numerics;
using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>Makes <see cref="BleuReferences{T}"/>: which sequences are the references of which candidate. The ids are not copied.</summary>
public static class BleuReferences
{
    /// <summary>The same number of references for each candidate.</summary>
    /// <param name="sequences">[candidates, referencesPerCandidate]: the references of candidate 0, of candidate 1 ...</param>
    /// <param name="referencesPerCandidate">At least 1; divides the number of sequences.</param>
    /// <param name="keepEmptyRows">
    /// What a padded row of nothing but padding is: a reference of length 0 if true; no reference at all if false, the default. In ragged batches an empty
    /// sequence always is a reference of length 0, and missing references are left out.
    /// </param>
    /// <exception cref="ArgumentException">The number is below 1 or does not divide the number of sequences.</exception>
    public static BleuReferences<T> Uniform<T>(TokenBatch<T> sequences, int referencesPerCandidate = 1, bool keepEmptyRows = false)
        where T : unmanaged, IBinaryInteger<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(referencesPerCandidate, 1);
        if (sequences.Count % referencesPerCandidate != 0)
            throw new ArgumentException($"{sequences.Count} sequences do not make groups of {referencesPerCandidate}", nameof(referencesPerCandidate));
        return new BleuReferences<T>(sequences, [], sequences.Count / referencesPerCandidate, referencesPerCandidate, keepEmptyRows);
    }

    /// <summary>Any number of references for each candidate, none included.</summary>
    /// <param name="sequences">The references of candidate 0, of candidate 1 ...</param>
    /// <param name="groupOffsets">Where the references of each candidate begin in <paramref name="sequences"/>, and where the last ones end. Not falling,
    /// within 0 and the number of sequences.</param>
    /// <param name="keepEmptyRows">As for <see cref="Uniform"/>.</param>
    /// <exception cref="ArgumentException">An offset is below the one before it or outside of the sequences.</exception>
    public static BleuReferences<T> Grouped<T>(TokenBatch<T> sequences, ReadOnlySpan<int> groupOffsets, bool keepEmptyRows = false)
        where T : unmanaged, IBinaryInteger<T>
    {
        BleuChecks.Offsets(groupOffsets, sequences.Count, nameof(groupOffsets));
        return new BleuReferences<T>(sequences, groupOffsets, Math.Max(0, groupOffsets.Length - 1), 0, keepEmptyRows);
    }
}

/// <summary>The references of several candidates: see <see cref="BleuReferences"/>.</summary>
/// <typeparam name="T">The type of the ids: <see cref="int"/>, <see cref="long"/>, <see cref="ushort"/> or <see cref="uint"/>.</typeparam>
public readonly ref struct BleuReferences<T> where T : unmanaged, IBinaryInteger<T>
{
    internal BleuReferences(TokenBatch<T> sequences, ReadOnlySpan<int> groupOffsets, int groupCount, int perGroup, bool keepEmptyRows)
    {
        Sequences = sequences;
        GroupOffsets = groupOffsets;
        (GroupCount, PerGroup, KeepEmptyRows) = (groupCount, perGroup, keepEmptyRows);
    }

    /// <summary>One reference for each candidate.</summary>
    /// <param name="sequences">As many as there are candidates.</param>
    public static implicit operator BleuReferences<T>(TokenBatch<T> sequences) => BleuReferences.Uniform(sequences);

    /// <summary>The number of candidates that the references are for.</summary>
    public int GroupCount { get; }

    internal TokenBatch<T> Sequences { get; }

    internal ReadOnlySpan<int> GroupOffsets { get; }

    internal int PerGroup { get; }

    internal bool KeepEmptyRows { get; }

    /// <summary>The references of one candidate.</summary>
    internal (int First, int Count) Group(int group) =>
        GroupOffsets.IsEmpty ? (group * PerGroup, PerGroup) : (GroupOffsets[group], GroupOffsets[group + 1] - GroupOffsets[group]);

    /// <summary>The most tokens that the references of one candidate can have, and one more for each reference.</summary>
    internal int LargestGroupLength
    {
        get
        {
            long largest = 0;
            for (int group = 0; group < GroupCount; group++)
            {
                (int first, int count) = Group(group);
                long length = Sequences.IsPadded || count == 0 ? count * Sequences.RowLength : Sequences.Offsets[first + count] - Sequences.Offsets[first];
                largest = Math.Max(largest, length + count);
            }
            return BleuChecks.Places(largest, "references");
        }
    }
}
