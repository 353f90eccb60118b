using Kernels.Core.Machine;
using Kernels.Core.Threading;

namespace Kernels;

/// <summary>
/// Scratch memory for sparse products, kept from call to call, and, through <see cref="Recycle"/>, the memory of results that are no longer needed. For a large
/// product that matters: a fresh page of memory costs the operating system microseconds, more than the arithmetic that fills it. One call at a time.
/// </summary>
public sealed unsafe class SpGemmWorkspace : IDisposable
{
    private byte* _lanes, _table;
    private long _laneBytes, _laneTotal, _tableBytes;
    private int _inUse;
    private bool _isDisposed;
    private long[]? _sparePointers;
    private int[]? _spareColumns;
    private Array? _spareValues;

    /// <summary>Frees the memory if <see cref="Dispose"/> was not called.</summary>
    ~SpGemmWorkspace() => Free();

    /// <summary>Bytes of scratch held, spare results not counted.</summary>
    public long ScratchBytes => _laneTotal + _tableBytes;

    /// <summary>
    /// Takes the memory of a product for the next one of the same element type. The matrix must not be used any more, and nor may anything that shows its
    /// entries.
    /// </summary>
    /// <param name="matrix">A product of which no view was made. If another one's memory is held already, the larger is kept.</param>
    /// <exception cref="InvalidOperationException">The matrix shares its arrays with another one, a mask or the caller.</exception>
    public void Recycle<T>(CsrMatrix<T> matrix) where T : unmanaged, IEquatable<T>
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!matrix.OwnsArrays)
            throw new InvalidOperationException("only a product that shares its arrays with nobody can be recycled");
        (long[] pointers, int[] columns, T[] values) = matrix.Surrender();
        KeepsResults = true;
        if (_spareValues is T[] spare && spare.Length > values.Length)
            return;
        (_sparePointers, _spareColumns, _spareValues) = (pointers, columns, values);
    }

    /// <summary>Frees all memory held.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        (_sparePointers, _spareColumns, _spareValues) = (null, null, null);
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Marks the workspace as used by this call.</summary>
    internal void Enter()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Interlocked.Exchange(ref _inUse, 1) != 0)
            throw new InvalidOperationException("the workspace is in use by another call");
    }

    internal void Exit() => Volatile.Write(ref _inUse, 0);

    /// <summary>Row pointers, not cleared.</summary>
    internal long[] TakePointers(int length)
    {
        long[]? spare = _sparePointers;
        _sparePointers = null;
        return spare is not null && spare.Length >= length ? spare : GC.AllocateUninitializedArray<long>(length);
    }

    /// <summary>Gives back row pointers that became part of no result.</summary>
    internal void ReturnPointers(long[] pointers) => _sparePointers ??= pointers;

    /// <summary>Room for at least this many entries, not cleared.</summary>
    internal (int[] Columns, T[] Values) TakeEntries<T>(int least) where T : unmanaged
    {
        if (_spareValues is T[] values && values.Length >= least && _spareColumns!.Length >= least)
        {
            int[] columns = _spareColumns;
            (_spareColumns, _spareValues) = (null, null);
            return (columns, values);
        }
        return (GC.AllocateUninitializedArray<int>(least), GC.AllocateUninitializedArray<T>(least));
    }

    /// <summary>Whether results come back here: their room may then be larger than they are.</summary>
    internal bool KeepsResults { get; private set; }

    /// <summary>Entries that a spare result has room for.</summary>
    internal int SpareLength<T>() => _spareValues is T[] values ? Math.Min(values.Length, _spareColumns!.Length) : 0;

    /// <summary>Lanes of at least these bytes, with whatever they hold.</summary>
    internal ScratchLanes RentLanes(int count, long laneBytes)
    {
        laneBytes = CacheLine.RoundUp(laneBytes);
        long total = checked(laneBytes * count) + CacheLine.Bytes;
        if (total > _laneTotal)
        {
            LargeMemory.Free(_lanes, _laneTotal);
            _lanes = null;
            _laneTotal = 0;
            _lanes = LargeMemory.Allocate(total);
            _laneTotal = total;
        }
        _laneBytes = laneBytes;
        *(ulong*)_lanes = ScratchLanes.AllFree(count);
        return new ScratchLanes((ulong*)_lanes, _lanes + CacheLine.Bytes, laneBytes);
    }

    /// <summary>The memory of one of the lanes rented last.</summary>
    internal byte* Lane(int index) => _lanes + CacheLine.Bytes + index * _laneBytes;

    /// <summary>Memory for the tables of one call, with whatever it holds.</summary>
    internal byte* RentTable(long bytes)
    {
        if (bytes > _tableBytes)
        {
            LargeMemory.Free(_table, _tableBytes);
            _table = null;
            _tableBytes = 0;
            _table = LargeMemory.Allocate(bytes);
            _tableBytes = bytes;
        }
        return _table;
    }

    private void Free()
    {
        LargeMemory.Free(_lanes, _laneTotal);
        LargeMemory.Free(_table, _tableBytes);
        _lanes = _table = null;
        _laneTotal = _tableBytes = 0;
    }
}
