using System.Numerics;
using System.Runtime.InteropServices;
using Kernels.Core.TensorBleu;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// References whose n-grams were counted ahead, for many candidates: k samples of one prompt, or one batch after another. Immutable; may be shared by threads.
/// </summary>
/// <remarks>Memory: a copy of the ids, and for each order 28 to 36 bytes for each token.</remarks>
/// <typeparam name="T">The type of the ids.</typeparam>
public sealed class PreparedReferences<T> where T : unmanaged, IBinaryInteger<T>
{
    private readonly T[] _tokens;
    private readonly int[] _offsets, _groupOffsets;

    /// <summary>Copies and counts references.</summary>
    /// <param name="references">The references.</param>
    /// <param name="options">The largest order and the mode that scores will be asked for, and the variant. NLTK's methods 5 and 7 need order 5.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public PreparedReferences(BleuReferences<T> references, BleuOptions options = default)
    {
        BleuChecks.Options(options);
        Backend = TensorBleuVariants<T>.Table.Select(options.Kernel);
        _tokens = Pinned(references.Sequences.Tokens);
        _offsets = Pinned(references.Sequences.Offsets);
        _groupOffsets = Pinned(references.GroupOffsets);
        GroupCount = references.GroupCount;
        Rows = RowsOf(references, options);
        Tables = Backend.Prepare(Rows, GroupCount);
    }

    /// <summary>The number of groups: one for each candidate, or for each k candidates.</summary>
    public int GroupCount { get; }

    /// <summary>The number of orders that were counted.</summary>
    public int OrderCount => Rows.OrderCount;

    internal IBleuBackend<T> Backend { get; }

    internal BleuRows<T> Rows { get; }

    internal object? Tables { get; }

    private unsafe BleuRows<T> RowsOf(BleuReferences<T> references, in BleuOptions options) => new()
    {
        Candidates = default,
        References = new TokenRows<T>(references.Sequences, (T*)Address(_tokens), (int*)Address(_offsets)),
        GroupOffsets = _groupOffsets.Length == 0 ? null : (int*)Address(_groupOffsets),
        ReferencesPerGroup = references.PerGroup,
        CandidatesPerGroup = 1,
        KeepEmptyRows = references.KeepEmptyRows || options.TensorBleuCompatible,
        OrderCount = options.CountedOrder,
        Compatible = options.TensorBleuCompatible,
        LongestCandidate = 0,
        LargestGroup = references.LargestGroupLength,
    };

    private static TElement[] Pinned<TElement>(ReadOnlySpan<TElement> source) where TElement : unmanaged
    {
        TElement[] copy = GC.AllocateUninitializedArray<TElement>(source.Length, pinned: true);
        source.CopyTo(copy);
        return copy;
    }

    private static nint Address<TElement>(TElement[] pinned) where TElement : unmanaged => Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
