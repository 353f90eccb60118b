namespace Kernels.Core.SparseAttention;

/// <summary>Collects pairs and blocks row of blocks after row of blocks; only blocks that were touched take memory.</summary>
internal sealed class BlockMaskBuilder
{
    private const int Untouched = -1;

    private readonly BlockMaskShape _shape;
    private readonly List<int> _offsets = [0], _columns = [], _partialNumbers = [];
    private readonly List<ulong> _partialBits = [];

    // Of the row of blocks at hand: for each column its place among the touched ones; their columns; their bits.
    private readonly int[] _places;
    private readonly List<int> _touched = [];
    private ulong[] _bits = [];
    private int _rowBlock;

    public BlockMaskBuilder(in BlockMaskShape shape)
    {
        shape.Check(nameof(shape));
        _shape = shape;
        _places = new int[shape.ColumnBlockCount];
        Array.Fill(_places, Untouched);
    }

    /// <summary>The first query of the row of blocks at hand, and the one after its last.</summary>
    public (int Begin, int End) Queries => (_rowBlock * _shape.BlockRows, (int)Math.Min(_shape.QueryCount, (_rowBlock + 1L) * _shape.BlockRows));

    public int PositionOf(int query) => query + _shape.KeyCount - _shape.QueryCount;

    /// <summary>The keys [begin, end) for one query of this row of blocks; what lies beyond the keys is cut off.</summary>
    public void AddKeys(int query, int begin, int end)
    {
        begin = Math.Max(begin, 0);
        end = Math.Min(end, _shape.KeyCount);
        int first = (query - _rowBlock * _shape.BlockRows) * _shape.BlockColumns;
        while (begin < end)
        {
            int column = begin / _shape.BlockColumns, inBlock = begin - column * _shape.BlockColumns,
                count = Math.Min(end - begin, _shape.BlockColumns - inBlock);
            SetBits(Touch(column), first + inBlock, count);
            begin += count;
        }
    }

    /// <summary>The keys of a set, a bit for each, for one query of this row of blocks.</summary>
    public void AddKeys(int query, ReadOnlySpan<ulong> keys)
    {
        int first = (query - _rowBlock * _shape.BlockRows) * _shape.BlockColumns;
        for (int column = 0; column < _shape.ColumnBlockCount; column++)
        {
            int begin = column * _shape.BlockColumns, count = Math.Min(_shape.BlockColumns, _shape.KeyCount - begin);
            for (int i = 0; i < count; i += BlockMask.BitsPerWord)
            {
                ulong some = BitSets.Read(keys, begin + i) & BitSets.Lowest(count - i);
                if (some != 0)
                    BitSets.Add(Touch(column), first + i, some);
            }
        }
    }

    /// <summary>A whole block.</summary>
    public void AddBlock(int column)
    {
        if ((uint)column >= (uint)_shape.ColumnBlockCount)
            return;
        (int begin, int end) = Queries;
        for (int query = begin; query < end; query++)
            AddKeys(query, column * _shape.BlockColumns, (int)Math.Min(_shape.KeyCount, (column + 1L) * _shape.BlockColumns));
    }

    /// <summary>Goes on to the next row of blocks, after the last one of a head to the first of the next head.</summary>
    public void EndRow()
    {
        _touched.Sort();
        foreach (int column in _touched)
        {
            Append(column, _bits.AsSpan(_places[column] * _shape.WordsPerBlock, _shape.WordsPerBlock));
            _places[column] = Untouched;
        }
        _touched.Clear();
        _offsets.Add(_columns.Count);
        _rowBlock = _rowBlock + 1 == _shape.RowBlockCount ? 0 : _rowBlock + 1;
    }

    public (int[] Offsets, int[] Columns, int[]? PartialNumbers, ulong[] PartialBits) Finish() =>
        ([.. _offsets], [.. _columns], _partialBits.Count == 0 ? null : [.. _partialNumbers], [.. _partialBits]);

    private void Append(int column, ReadOnlySpan<ulong> bits)
    {
        (int begin, int end) = Queries;
        int keys = Math.Min(_shape.BlockColumns, _shape.KeyCount - column * _shape.BlockColumns), pairs = 0;
        foreach (ulong word in bits)
            pairs += System.Numerics.BitOperations.PopCount(word);
        _columns.Add(column);
        if (pairs == (end - begin) * keys)
        {
            _partialNumbers.Add(Untouched);
            return;
        }
        _partialNumbers.Add(_partialBits.Count / _shape.WordsPerBlock);
        _partialBits.AddRange(bits);
    }

    private Span<ulong> Touch(int column)
    {
        int words = _shape.WordsPerBlock;
        if (_places[column] == Untouched)
        {
            _places[column] = _touched.Count;
            _touched.Add(column);
            if (_bits.Length < _touched.Count * words)
                Array.Resize(ref _bits, Math.Max(2 * _bits.Length, _touched.Count * words));
            _bits.AsSpan(_places[column] * words, words).Clear();
        }
        return _bits.AsSpan(_places[column] * words, words);
    }

    private static void SetBits(Span<ulong> words, int begin, int count)
    {
        while (count > 0)
        {
            int bit = begin & (BlockMask.BitsPerWord - 1), part = Math.Min(count, BlockMask.BitsPerWord - bit);
            words[begin / BlockMask.BitsPerWord] |= ulong.MaxValue >> (BlockMask.BitsPerWord - part) << bit;
            begin += part;
            count -= part;
        }
    }
}
