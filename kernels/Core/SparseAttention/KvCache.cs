using Kernels.Core.Checks;
using Kernels.Core.SparseAttention;

namespace Kernels;

/// <summary>
/// Keys and values of several sequences in pages of fixed size, for decoding: append, keep, evict or roll back tokens, fork with copy on write. All pages are
/// allocated once;
/// <see cref="KvCacheOptions.ByteCount"/> says how much that is.
/// </summary>
/// <remarks>
/// Layout: page, then head, then slot, then d elements, so that a head's tokens on a page are contiguous. Tokens are numbered from 0 in the order in which they
/// were appended; after an eviction those that stay are numbered anew. An operation that throws has changed nothing. Not for concurrent use, though any number
/// of calls may read it at once. Owns native memory: dispose of it.
/// </remarks>
public sealed partial class KvCache : IDisposable
{
    private readonly KvCachePages _pages;
    private readonly List<KvSequence?> _sequences = [];

    /// <summary>Allocates the pages.</summary>
    /// <param name="options">Sizes and types.</param>
    /// <exception cref="ArgumentException">A size is out of range; the exception names it.</exception>
    /// <exception cref="OutOfMemoryException">There is not that much memory.</exception>
    public KvCache(KvCacheOptions options)
    {
        options.Check();
        Options = options with { PageSize = options.SlotsPerPage };
        _pages = new KvCachePages(Options);
    }

    /// <summary>What it was made for, with the size of its pages.</summary>
    public KvCacheOptions Options { get; }

    /// <summary>Bytes of all pages, with scales and planes.</summary>
    public long ByteCount => _pages.ByteCount;

    /// <summary>The number of pages that no sequence uses.</summary>
    public int FreePageCount => _pages.FreeCount;

    internal KvCachePages Pages => _pages;

    /// <summary>A new, empty sequence and its number.</summary>
    public int CreateSequence() => Add(new KvSequence());

    /// <summary>A new sequence with the same tokens. Pages are shared until one of the sequences writes to them.</summary>
    /// <param name="sequence">The sequence to copy.</param>
    public int Fork(int sequence)
    {
        KvSequence source = Find(sequence);
        var copy = new KvSequence(source.Revision);
        for (int i = 0; i < source.PageCount; i++)
        {
            _pages.Share(source.Table[i]);
            copy.AddPage(source.Table[i]);
        }
        copy.TokenCount = source.TokenCount;
        return Add(copy);
    }

    /// <summary>Gives up a sequence; its number may be used again.</summary>
    /// <param name="sequence">The sequence.</param>
    public void Release(int sequence)
    {
        KvSequence released = Find(sequence);
        ReleasePages(released, 0, released.PageCount);
        _sequences[sequence] = null;
    }

    /// <summary>The number of tokens of a sequence.</summary>
    /// <param name="sequence">The sequence.</param>
    public int TokenCount(int sequence) => Find(sequence).TokenCount;

    /// <summary>The pages of a sequence, in order.</summary>
    /// <param name="sequence">The sequence.</param>
    public ReadOnlySpan<int> PageTable(int sequence) => Find(sequence).Table.AsSpan(0, Find(sequence).PageCount);

    /// <summary>Appends tokens.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="keys">[tokens, heads, d].</param>
    /// <param name="values">[tokens, heads, d].</param>
    /// <exception cref="ArgumentException">Lengths do not match, or there is no such sequence.</exception>
    /// <exception cref="InvalidOperationException">There are too few free pages; nothing was appended.</exception>
    public void Append(int sequence, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        KvSequence target = Find(sequence);
        int rowLength = Options.KeyValueHeads * Options.HeadDimension, count = Check.Rows(keys.Length, rowLength, nameof(keys));
        Check.Exactly(values.Length, keys.Length, nameof(values));
        Reserve(target, count);
        for (int i = 0; i < count; i++)
        {
            int token = target.TokenCount++;
            _pages.Write(target.Table[token >> _pages.Shift], token & _pages.SlotMask, keys.Slice(i * rowLength, rowLength),
                values.Slice(i * rowLength, rowLength));
        }
    }

    /// <summary>A token's key and value as they are stored, widened to float.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="position">The token.</param>
    /// <param name="keys">[heads, d].</param>
    /// <param name="values">[heads, d].</param>
    /// <exception cref="ArgumentException">There is no such token, or a destination is too short.</exception>
    public void Read(int sequence, int position, Span<float> keys, Span<float> values)
    {
        KvSequence source = Find(sequence);
        if ((uint)position >= (uint)source.TokenCount)
            throw new ArgumentOutOfRangeException(nameof(position), position, $"the sequence has {source.TokenCount} tokens");
        int rowLength = Options.KeyValueHeads * Options.HeadDimension;
        keys = Check.Written(keys, rowLength, nameof(keys));
        values = Check.Written(values, rowLength, nameof(values));
        _pages.Read(source.Table[position >> _pages.Shift], position & _pages.SlotMask, keys, values);
    }

    /// <inheritdoc/>
    public void Dispose() => _pages.Dispose();

    internal KvSequence Find(int sequence)
    {
        _pages.CheckAlive();
        return (uint)sequence < (uint)_sequences.Count && _sequences[sequence] is { } found
            ? found
            : throw new ArgumentOutOfRangeException(nameof(sequence), sequence, "there is no such sequence");
    }

    internal long RevisionOf(int sequence) => Find(sequence).Revision;

    private int PagesOf(long tokens) => (int)((tokens + _pages.SlotMask) >> _pages.Shift);

    private int Add(KvSequence sequence)
    {
        _pages.CheckAlive();
        int free = _sequences.IndexOf(null);
        if (free < 0)
        {
            _sequences.Add(sequence);
            return _sequences.Count - 1;
        }
        _sequences[free] = sequence;
        return free;
    }

    // Pages for that many more tokens, and the last page to itself if some of them go there.
    private void Reserve(KvSequence target, int count)
    {
        int pages = PagesOf((long)target.TokenCount + count), more = pages - target.PageCount;
        bool continues = count > 0 && (target.TokenCount & _pages.SlotMask) != 0, copies = continues && _pages.IsShared(target.Table[target.PageCount - 1]);
        if (more + (copies ? 1 : 0) > _pages.FreeCount)
            throw new InvalidOperationException(
                $"{count} tokens need {more + (copies ? 1 : 0)} more pages of the cache, and {_pages.FreeCount} of its {Options.PageCount} are free");
        if (copies)
        {
            int shared = target.Table[target.PageCount - 1], own = _pages.Take();
            _pages.Copy(shared, 0, own, 0, target.TokenCount & _pages.SlotMask);
            _pages.Release(shared);
            target.Table[target.PageCount - 1] = own;
        }
        for (int i = 0; i < more; i++)
            target.AddPage(_pages.Take());
    }
}
