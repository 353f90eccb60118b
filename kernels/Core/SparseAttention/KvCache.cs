namespace Kernels;

/// <summary>
/// Keys and values of several sequences in pages of fixed size, for decoding: append, keep or evict tokens, fork with copy on write. All pages are allocated once;
/// <see cref="KvCacheOptions.ByteCount"/> says how much that is.
/// </summary>
/// <remarks>
/// Layout: page, then head, then slot, then d elements, so that a head's tokens on a page are contiguous. Tokens are numbered from 0 in the order in which they were appended; after an
/// eviction those that stay are numbered anew. Not for concurrent use, though any number of calls may read it at once. Owns native memory: dispose of it.
/// </remarks>
public sealed partial class KvCache : IDisposable
{
    private readonly KvCachePages _pages;
    private readonly List<KvSequence?> _sequences = [];

    /// <summary>Allocates the pages.</summary>
    /// <param name="options">Sizes and types.</param>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public KvCache(KvCacheOptions options)
    {
        options.Check(nameof(options));
        Options = options;
        _pages = new KvCachePages(options);
    }

    /// <summary>What it was made for.</summary>
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
        KvSequence source = Find(sequence), copy = new();
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
        for (int i = 0; i < released.PageCount; i++)
            _pages.Release(released.Table[i]);
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
        int rowLength = Options.KeyValueHeads * Options.HeadDimension, count = keys.Length / rowLength;
        if (keys.Length % rowLength != 0)
            throw new ArgumentException($"{keys.Length} elements are no whole number of tokens of {rowLength}", nameof(keys));
        if (values.Length != keys.Length)
            throw new ArgumentException($"{values.Length} elements for the {keys.Length} of keys", nameof(values));
        Reserve(target, count);
        for (int i = 0; i < count; i++)
        {
            int token = target.TokenCount++;
            _pages.Write(target.Table[token >> _pages.Shift], token & _pages.SlotMask, keys.Slice(i * rowLength, rowLength), values.Slice(i * rowLength, rowLength));
        }
    }

    /// <summary>Keeps these tokens, in order, and evicts all others. Pages that empty are free again.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="positions">The tokens to keep, strictly ascending.</param>
    /// <exception cref="ArgumentException">A position is out of range, unsorted or there twice; nothing was evicted.</exception>
    /// <exception cref="InvalidOperationException">There are too few free pages to copy shared ones; tokens may have moved.</exception>
    public void Keep(int sequence, ReadOnlySpan<int> positions)
    {
        KvSequence target = Find(sequence);
        TokenPositions.Check(positions, target.TokenCount, nameof(positions));
        for (int i = 0; i < positions.Length; i++)
        {
            if (positions[i] != i)
                Move(target, positions[i], i);
        }
        int pages = (positions.Length + _pages.SlotMask) >> _pages.Shift;
        while (target.PageCount > pages)
            _pages.Release(target.RemoveLastPage());
        target.TokenCount = positions.Length;
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
        if (keys.Length < rowLength)
            throw new ArgumentException($"{keys.Length} elements are too few: {rowLength} are written", nameof(keys));
        if (values.Length < rowLength)
            throw new ArgumentException($"{values.Length} elements are too few: {rowLength} are written", nameof(values));
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
        int pages = (int)(((long)target.TokenCount + count + _pages.SlotMask) >> _pages.Shift), more = pages - target.PageCount;
        bool continues = count > 0 && (target.TokenCount & _pages.SlotMask) != 0, copies = continues && _pages.IsShared(target.Table[target.PageCount - 1]);
        if (more + (copies ? 1 : 0) > _pages.FreeCount)
            throw new InvalidOperationException($"{count} tokens need {more + (copies ? 1 : 0)} more pages of the cache, and {_pages.FreeCount} of its {Options.PageCount} are free");
        if (copies)
            target.Table[target.PageCount - 1] = _pages.MakeOwn(target.Table[target.PageCount - 1]);
        for (int i = 0; i < more; i++)
            target.AddPage(_pages.Take());
    }

    private void Move(KvSequence target, int from, int to)
    {
        int fromPage = target.Table[from >> _pages.Shift], page = to >> _pages.Shift;
        if (_pages.IsShared(target.Table[page]))
            target.Table[page] = _pages.MakeOwn(target.Table[page]);
        // A page that was just copied still holds the token to be moved within it.
        if (from >> _pages.Shift == page)
            fromPage = target.Table[page];
        _pages.Copy(fromPage, from & _pages.SlotMask, target.Table[page], to & _pages.SlotMask);
    }
}

/// <summary>The pages of one sequence.</summary>
internal sealed class KvSequence
{
    private const int FirstCapacity = 16;

    /// <summary>Pinned, for kernels read it.</summary>
    public int[] Table { get; private set; } = GC.AllocateUninitializedArray<int>(FirstCapacity, pinned: true);

    public int PageCount { get; private set; }

    public int TokenCount { get; set; }

    public void AddPage(int page)
    {
        if (PageCount == Table.Length)
        {
            int[] larger = GC.AllocateUninitializedArray<int>(2 * PageCount, pinned: true);
            Table.CopyTo(larger, 0);
            Table = larger;
        }
        Table[PageCount++] = page;
    }

    public int RemoveLastPage() => Table[--PageCount];
}

/// <summary>The check of lists of tokens.</summary>
internal static class TokenPositions
{
    public static void Check(ReadOnlySpan<int> positions, int tokenCount, string name)
    {
        for (int i = 0; i < positions.Length; i++)
        {
            if ((uint)positions[i] >= (uint)tokenCount)
                throw new ArgumentOutOfRangeException(name, positions[i], $"there are {tokenCount} tokens");
            if (i > 0 && positions[i] <= positions[i - 1])
                throw new ArgumentException($"position {positions[i]} follows {positions[i - 1]}: positions must ascend", name);
        }
    }
}
