using Kernels.Core.SparseAttention;

namespace Kernels;

// Tokens are taken away in two steps: first what is needed is counted, then nothing can fail.
public sealed partial class KvCache
{
    /// <summary>Keeps these tokens, in order, and evicts all others. Pages that empty are free again.</summary>
    /// <remarks>
    /// Tokens move towards the start within pages that are the sequence's own. A page all of whose places are kept as they are is passed on as it is, shared or
    /// not: evicting whole pages moves nothing.
    /// A shared page that must be written needs a free one for its copy, for which those that the call itself has emptied until then serve, first of all those
    /// behind the last token that is kept: a sequence that
    /// shares no page always has room. O(tokens that are kept).
    /// </remarks>
    /// <param name="sequence">The sequence.</param>
    /// <param name="positions">The tokens to keep, strictly ascending.</param>
    /// <exception cref="ArgumentException">A position is out of range, unsorted or there twice; nothing was evicted.</exception>
    /// <exception cref="InvalidOperationException">There are too few free pages to copy shared ones; nothing was evicted.</exception>
    public void Keep(int sequence, ReadOnlySpan<int> positions)
    {
        KvSequence target = Find(sequence);
        TokenPositions.Check(positions, target.TokenCount, nameof(positions));
        if (positions.Length == target.TokenCount)
            return;
        int lacking = CountLackingPages(target, positions);
        if (lacking > 0)
            throw new InvalidOperationException(
                $"shared pages are to be written: {lacking} more of the cache's {Options.PageCount} pages must be free for their copies");
        Compact(target, positions);
        target.Shrink(positions.Length, PagesOf(positions.Length));
    }

    /// <summary>Takes back the last tokens: the first ones stay. Pages that empty are free again; shared ones stay shared. O(pages that empty).</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="count">How many stay: 0 to their number.</param>
    /// <exception cref="ArgumentException">There are not that many tokens, or there is no such sequence; nothing was taken back.</exception>
    public void Truncate(int sequence, int count)
    {
        KvSequence target = Find(sequence);
        if ((uint)count > (uint)target.TokenCount)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"the sequence has {target.TokenCount} tokens");
        if (count == target.TokenCount)
            return;
        int pages = PagesOf(count);
        ReleasePages(target, pages, target.PageCount);
        target.Shrink(count, pages);
    }

    // The tokens that a page will hold.
    private ReadOnlySpan<int> TokensOf(ReadOnlySpan<int> positions, int page)
    {
        int first = page << _pages.Shift;
        return positions.Slice(first, Math.Min(_pages.SlotMask + 1, positions.Length - first));
    }

    // Whether tokens, strictly ascending, stand in one page's first places already.
    private bool AreInPlace(ReadOnlySpan<int> tokens) => (tokens[0] & _pages.SlotMask) == 0 && tokens[^1] - tokens[0] == tokens.Length - 1;

    private int PagesRead(ReadOnlySpan<int> positions) => positions.IsEmpty ? 0 : (positions[^1] >> _pages.Shift) + 1;

    // Walks as Compact does: 0 if a page is free whenever one is taken there.
    private int CountLackingPages(KvSequence target, ReadOnlySpan<int> positions)
    {
        int free = _pages.FreeCount + CountOwnPages(target, PagesRead(positions), target.PageCount), least = free, next = 0;
        for (int page = 0; page < PagesOf(positions.Length); page++)
        {
            ReadOnlySpan<int> tokens = TokensOf(positions, page);
            int source = tokens[0] >> _pages.Shift;
            free += CountOwnPages(target, next, source);
            if (!AreInPlace(tokens) && _pages.IsShared(target.Table[source]))
                least = Math.Min(least, --free);
            next = source + 1;
        }
        return Math.Max(0, -least);
    }

    // Page after page. Tokens only move towards the start, so that what stands before a page's first token has been read when it is the page's turn, and its
    // table's entry may be overwritten.
    private void Compact(KvSequence target, ReadOnlySpan<int> positions)
    {
        int read = PagesRead(positions), next = 0;
        ReleasePages(target, read, target.PageCount);
        for (int page = 0; page < PagesOf(positions.Length); page++)
        {
            ReadOnlySpan<int> tokens = TokensOf(positions, page);
            int source = tokens[0] >> _pages.Shift;
            ReleasePages(target, next, source);
            target.Table[page] = AreInPlace(tokens) ? target.Table[source] : Gather(target, tokens);
            next = source + 1;
        }
        ReleasePages(target, next, read);
    }

    // Into the page of the first of them, none of whose later tokens another page will hold; into a copy if others use it.
    private int Gather(KvSequence target, ReadOnlySpan<int> tokens)
    {
        int first = target.Table[tokens[0] >> _pages.Shift], to = _pages.IsShared(first) ? _pages.Take() : first;
        for (int i = 0; i < tokens.Length;)
        {
            int slot = tokens[i] & _pages.SlotMask, most = Math.Min(tokens.Length - i, _pages.SlotMask + 1 - slot), run = 1;
            while (run < most && tokens[i + run] == tokens[i] + run)
                run++;
            _pages.Copy(target.Table[tokens[i] >> _pages.Shift], slot, to, i, run);
            i += run;
        }
        if (to != first)
            _pages.Release(first);
        return to;
    }

    private int CountOwnPages(KvSequence target, int begin, int end)
    {
        int count = 0;
        for (int i = begin; i < end; i++)
            count += _pages.IsShared(target.Table[i]) ? 0 : 1;
        return count;
    }

    private void ReleasePages(KvSequence target, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            _pages.Release(target.Table[i]);
    }
}
