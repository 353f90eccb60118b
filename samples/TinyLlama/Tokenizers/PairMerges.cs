using System.Runtime.InteropServices;

namespace TinyLlama;

/// <summary>
/// The rules of byte-pair encoding, and their use: of all neighbours that a rule joins, those of the lowest rank are joined first, of equal ranks the leftmost,
/// until there are none. A queue holds the candidates, so n symbols take n log n steps, whatever they are. Not for several threads at a time.
/// </summary>
internal sealed class PairMerges
{
    private const int Joined = -1;

    private readonly record struct Rule(int Rank, int Token);

    private readonly record struct Candidate(int Left, int Right, int Token);

    private readonly Dictionary<(int Left, int Right), Rule> _rules = [];

    // By rank and, within a rank, by position, in one number.
    private readonly PriorityQueue<Candidate, long> _queue = new();

    // Neighbours of each symbol that is left.
    private int[] _next = [];
    private int[] _previous = [];

    /// <summary>Adds a rule; false if there is one for these neighbours.</summary>
    public bool TryAdd(int left, int right, int rank, int token) => _rules.TryAdd((left, right), new Rule(rank, token));

    /// <summary>Joins what the rules join, in place.</summary>
    public void Join(List<int> symbols)
    {
        Join(CollectionsMarshal.AsSpan(symbols));
        symbols.RemoveAll(symbol => symbol == Joined);
    }

    private void Join(Span<int> symbols)
    {
        Link(symbols.Length);
        for (int i = 0; i < symbols.Length; i++)
            Offer(symbols, i);
        while (_queue.TryDequeue(out Candidate pair, out long place))
        {
            int left = (int)place, right = _next[left];
            // One of them may have been joined to another since.
            if (symbols[left] != pair.Left || right == symbols.Length || symbols[right] != pair.Right)
                continue;
            symbols[left] = pair.Token;
            symbols[right] = Joined;
            _next[left] = _next[right];
            if (_next[left] < symbols.Length)
                _previous[_next[left]] = left;
            Offer(symbols, left);
            if (_previous[left] >= 0)
                Offer(symbols, _previous[left]);
        }
    }

    private void Link(int count)
    {
        if (_next.Length < count)
            (_next, _previous) = (new int[count], new int[count]);
        for (int i = 0; i < count; i++)
            (_next[i], _previous[i]) = (i + 1, i - 1);
    }

    private void Offer(ReadOnlySpan<int> symbols, int left)
    {
        int right = _next[left];
        if (right < symbols.Length && _rules.TryGetValue((symbols[left], symbols[right]), out Rule rule))
            _queue.Enqueue(new Candidate(symbols[left], symbols[right], rule.Token), ((long)rule.Rank << 32) | (uint)left);
    }
}
