using Kernels.Core.Machine;

namespace Kernels.Core.SparseAttention;

/// <summary>The memory of a <see cref="KvCache"/>: pages with counts of the sequences that use them.</summary>
internal sealed unsafe class KvCachePages : IDisposable
{
    private readonly KvCacheOptions _options;
    private readonly int[] _users;
    private readonly Stack<int> _free;
    private readonly int _elementBytes, _pageSize;
    private readonly long _rowsPerPage, _planeBytesPerHead;
    private byte* _memory;
    private KeyValueRows _rows;
    private NibbleRows _planes;

    public KvCachePages(in KvCacheOptions options)
    {
        _options = options;
        _users = new int[options.PageCount];
        _free = new Stack<int>(Enumerable.Range(0, options.PageCount).Reverse());
        _elementBytes = options.Type.ElementBytes();
        _pageSize = options.SlotsPerPage;
        _rowsPerPage = (long)_pageSize * options.KeyValueHeads;
        _planeBytesPerHead = NibbleLayout.HeadBytes(_pageSize, options.HeadDimension);
        ByteCount = options.ByteCount;
        _memory = LargeMemory.Allocate(ByteCount);
        Divide();
    }

    public long ByteCount { get; }

    public int FreeCount => _free.Count;

    public int Shift => int.Log2(_pageSize);

    public int SlotMask => _pageSize - 1;

    public KeyValueRows Rows => _rows;

    public NibbleRows Planes => _planes;

    public void CheckAlive() => ObjectDisposedException.ThrowIf(_memory == null, typeof(KvCache));

    public bool IsShared(int page) => _users[page] > 1;

    public int Take()
    {
        int page = _free.Pop();
        _users[page] = 1;
        return page;
    }

    public void Share(int page) => _users[page]++;

    public void Release(int page)
    {
        if (--_users[page] == 0)
            _free.Push(page);
    }

    /// <summary>Copies the tokens of successive slots; within a page towards its start only.</summary>
    public void Copy(int fromPage, int fromSlot, int toPage, int toSlot, int count)
    {
        int d = _options.HeadDimension;
        for (int head = 0; head < _options.KeyValueHeads; head++)
        {
            long from = RowOf(fromPage, head, fromSlot), to = RowOf(toPage, head, toSlot);
            CopyRows(_rows.Keys, from, to, count, d * _elementBytes);
            CopyRows(_rows.Values, from, to, count, d * _elementBytes);
            if (_rows.KeyScales != null)
            {
                CopyRows((byte*)_rows.KeyScales, from, to, count, sizeof(float));
                CopyRows((byte*)_rows.ValueScales, from, to, count, sizeof(float));
            }
            if (_planes.Scales == null)
                continue;
            CopyRows((byte*)_planes.Scales, from, to, count, sizeof(float));
            for (int step = 0; step < NibbleLayout.StepCount(d); step++)
            {
                for (int slot = 0; slot < count; slot++)
                {
                    *Lane(_planes.High, toPage, head, toSlot + slot, step) = *Lane(_planes.High, fromPage, head, fromSlot + slot, step);
                    *Lane(_planes.Low, toPage, head, toSlot + slot, step) = *Lane(_planes.Low, fromPage, head, fromSlot + slot, step);
                }
            }
        }
    }

    public void Write(int page, int slot, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        int d = _options.HeadDimension;
        for (int head = 0; head < _options.KeyValueHeads; head++)
        {
            long row = RowOf(page, head, slot);
            ReadOnlySpan<float> key = keys.Slice(head * d, d), value = values.Slice(head * d, d);
            float keyScale = KeyValueCodec.Narrow(key, _rows.Keys + row * d * _elementBytes, _options.Type);
            float valueScale = KeyValueCodec.Narrow(value, _rows.Values + row * d * _elementBytes, _options.Type);
            if (_rows.KeyScales != null)
                (_rows.KeyScales[row], _rows.ValueScales[row]) = (keyScale, valueScale);
            if (_planes.Scales != null)
                WritePlanes(page, head, slot, key);
            _rows.IsFinite &= KeyValueCodec.IsFinite(key, _options.Type) && KeyValueCodec.IsFinite(value, _options.Type);
        }
    }

    public void Read(int page, int slot, Span<float> keys, Span<float> values)
    {
        int d = _options.HeadDimension;
        for (int head = 0; head < _options.KeyValueHeads; head++)
        {
            long row = RowOf(page, head, slot);
            KeyValueCodec.Widen(_rows.Keys + row * d * _elementBytes, keys.Slice(head * d, d), _options.Type, _rows.KeyScales == null ? 1
                : _rows.KeyScales[row]);
            KeyValueCodec.Widen(_rows.Values + row * d * _elementBytes, values.Slice(head * d, d), _options.Type, _rows.KeyScales == null ? 1
                : _rows.ValueScales[row]);
        }
    }

    public void Dispose()
    {
        LargeMemory.Free(_memory, ByteCount);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    ~KvCachePages() => LargeMemory.Free(_memory, ByteCount);

    // Keys, values, planes, then the scales, each array of all pages.
    private void Divide()
    {
        int d = _options.HeadDimension;
        long rows = _rowsPerPage * _options.PageCount, bytes = rows * d * _elementBytes;
        byte* next = _memory;
        _rows = new KeyValueRows
        {
            Keys = next,
            Values = next + bytes,
            PageStride = _rowsPerPage * d,
            HeadStride = (long)_pageSize * d,
            TokenStride = d,
            PageShift = Shift,
            ElementBytes = _elementBytes,
            HeadDimension = d,
            IsFinite = true,
        };
        next += 2 * bytes;
        if (_options.SplitNibbleKeys)
        {
            long plane = _planeBytesPerHead * _options.KeyValueHeads * _options.PageCount;
            _planes = new NibbleRows { High = next, Low = next + plane, Scales = (float*)(next + 2 * plane) };
            next += 2 * plane + rows * sizeof(float);
        }
        if (_options.Type != KeyValueType.Int8)
            return;
        _rows.KeyScales = (float*)next;
        _rows.ValueScales = (float*)next + rows;
    }

    // The places may overlap.
    private static void CopyRows(byte* rows, long from, long to, int count, int rowBytes) =>
        Buffer.MemoryCopy(rows + from * rowBytes, rows + to * rowBytes, (long)count * rowBytes, (long)count * rowBytes);

    private long RowOf(int page, int head, int slot) => page * _rowsPerPage + (long)head * _pageSize + slot;

    private uint* Lane(byte* plane, int page, int head, int slot, int step) =>
        (uint*)(plane + ((long)page * _options.KeyValueHeads + head) * _planeBytesPerHead
        + NibbleLayout.LaneOffset(slot, step, NibbleLayout.StepCount(_options.HeadDimension)));

    private void WritePlanes(int page, int head, int slot, ReadOnlySpan<float> key)
    {
        float scale = KeyValueCodec.Scale(key);
        _planes.Scales[RowOf(page, head, slot)] = scale;
        for (int step = 0; step < NibbleLayout.StepCount(_options.HeadDimension); step++)
        {
            uint high = 0, low = 0;
            for (int i = 0; i < NibbleLayout.DimensionsPerStep; i++)
            {
                int dimension = step * NibbleLayout.DimensionsPerStep + i;
                int code = NibbleLayout.Zero + (dimension < key.Length ? KeyValueCodec.Code(key[dimension], scale) : 0);
                // Dimensions 0 to 3 in the lower nibbles of the lane's bytes, 4 to 7 in the upper ones.
                int shift = i % sizeof(uint) * 8 + i / sizeof(uint) * NibbleLayout.NibbleBits;
                high |= (uint)(code >> NibbleLayout.NibbleBits) << shift;
                low |= (uint)(code & NibbleLayout.LowNibble) << shift;
            }
            *Lane(_planes.High, page, head, slot, step) = high;
            *Lane(_planes.Low, page, head, slot, step) = low;
        }
    }
}
