using Kernels.Core.SpGemm;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;

namespace Kernels.Cpu.SpGemm;

/// <summary>
/// One product: schedule, scratch, room for the result, tiles. The result is computed in one pass: its size is estimated from a sample of the tiles, and where
/// the room does not suffice, the tiles that are left are counted, and more is taken. Knows no accumulator.
/// </summary>
internal unsafe ref struct SpGemmRun<T, TSemiring>
    where T : unmanaged, IEquatable<T>
    where TSemiring : struct, ISemiring<T>
{
    private readonly SpGemmOperands<T> _operands;
    private readonly SpGemmChoice _choice;
    private readonly SpGemmWorkspace _workspace;
    private readonly KernelOptions _options;
    private readonly long _mostEntries;
    private readonly int _threads;
    private readonly long[] _rowPointers;
    private readonly SpGemmSchedule<T> _schedule;
    private readonly SpGemmLanes<T> _lanes;

    /// <param name="accumulator">What the variant asks for.</param>
    /// <param name="operands">Pinned.</param>
    /// <param name="mostBytes">The most bytes of the result; 0 for what the process may use.</param>
    /// <param name="workspace">Scratch.</param>
    /// <param name="options">Threads and cancellation.</param>
    public SpGemmRun(SpGemmAccumulator accumulator, in SpGemmOperands<T> operands, long mostBytes, SpGemmWorkspace workspace, in KernelOptions options)
    {
        (_operands, _workspace, _options) = (operands, workspace, options);
        _mostEntries = (mostBytes > 0 ? mostBytes : RentedScratch.AvailableBytes) / (sizeof(int) + sizeof(T));
        _rowPointers = workspace.TakePointers(operands.Left.RowCount + 1);
        _rowPointers[0] = 0;
        fixed (long* products = _rowPointers)
        {
            long least = SpGemmAnalysis.CountProducts(operands, products, options);
            if (!operands.Mask.IsPresent && !operands.DropsZeros && !operands.Right.HasDuplicates)
                Demand(least);
            _schedule = new SpGemmSchedule<T>(operands, products, workspace);
        }
        _threads = SpGemmAnalysis.ThreadCount(_schedule.Products, _schedule.TileCount, options);
        _choice = SpGemmChoice.Of(accumulator, operands.Right.ColumnCount, sizeof(T), SpGemmAnalysis.BytesOf(operands), _schedule.Products, _threads);
        _lanes = SpGemmAnalysis.RentLanes<T, TSemiring>(workspace, SpGemmAnalysis.LaneSizes(_schedule, _choice, operands, _threads), _threads);
    }

    public CsrMatrix<T> Multiply()
    {
        (int[] columns, T[] values) = _workspace.TakeEntries<T>(CsrChecks.ArrayLength(FirstCapacity()));
        long tile = 0;
        while ((tile = RunTiles(tile, columns, values)) < _schedule.TileCount)
        {
            long needed = checked(_schedule.Starts[tile] + CountTiles(tile, _schedule.TileCount - tile, stride: 1));
            Demand(needed);
            (int[] moreColumns, T[] moreValues) =
                (GC.AllocateUninitializedArray<int>(CsrChecks.ArrayLength(needed)), GC.AllocateUninitializedArray<T>((int)needed));
            columns.AsSpan(0, (int)_schedule.Starts[tile]).CopyTo(moreColumns);
            values.AsSpan(0, (int)_schedule.Starts[tile]).CopyTo(moreValues);
            (columns, values) = (moreColumns, moreValues);
        }
        int count = (int)_schedule.Starts[_schedule.TileCount];
        Demand(count);
        // Room that was taken too generously is given back, unless it came from the workspace or is within the slack of estimates.
        if (count < columns.Length / 2 && !_workspace.KeepsResults)
            (columns, values) = (columns[..count], values[..count]);
        return new(_operands.Left.RowCount, _operands.Right.ColumnCount, _rowPointers, columns, values, !_operands.IsUnsorted,
            hasDuplicates: false)
        { OwnsArrays = true };
    }

    // Little is lost with the bound of a small product, and nothing where a spare result is large enough.
    private readonly long FirstCapacity()
    {
        if (_schedule.TileCount < 4 * SpGemmTuning.SampleStride || _schedule.Bound <= _workspace.SpareLength<T>())
            return Math.Min(_schedule.Bound, Math.Min(_mostEntries, Array.MaxLength));
        long samples = (_schedule.TileCount + SpGemmTuning.SampleStride - 1) / SpGemmTuning.SampleStride, bound = 0;
        for (long i = 0; i < samples; i++)
            bound += _schedule.Tiles[i * SpGemmTuning.SampleStride].Bound;
        double share = (double)CountTiles(0, samples, SpGemmTuning.SampleStride) / bound;
        long estimate = (long)(share * _schedule.Bound);
        estimate += estimate / SpGemmTuning.EstimateSlackDivisor + _schedule.TileBound;
        return Math.Min(Math.Min(estimate, _schedule.Bound), Math.Min(_mostEntries, Array.MaxLength));
    }

    // Runs the tiles from this one on; returns the first one that did not fit, or their number.
    private readonly long RunTiles(long first, int[] columns, T[] values)
    {
        new Span<long>(_schedule.Starts + first + 1, checked((int)(_schedule.TileCount - first))).Fill(SpGemmTileJob<T, TSemiring>.Unknown);
        if (first == 0)
            _schedule.Starts[0] = 0;
        fixed (long* rowPointers = _rowPointers)
        fixed (int* columnPointer = columns)
        fixed (T* valuePointer = values)
        {
            var job = new SpGemmTileJob<T, TSemiring>
            {
                Operands = _operands,
                Choice = _choice,
                Lanes = _lanes,
                Tiles = _schedule.Tiles,
                FetchesAhead = SpGemmAnalysis.BytesOf(_operands.Right) > MachineInfo.Current.Level2Bytes / 2,
                FirstTile = first,
                Starts = _schedule.Starts,
                RowPointers = rowPointers,
                Columns = columnPointer,
                Values = valuePointer,
                Capacity = Math.Min(columns.Length, values.Length),
            };
            RangeRunner.Run(job, _schedule.TileCount - first, grain: 1, _threads, _options.CancellationToken);
        }
        while (first < _schedule.TileCount && _schedule.Starts[first + 1] >= 0)
            first++;
        return first;
    }

    private readonly long CountTiles(long first, long count, long stride)
    {
        var counts = new long[count];
        fixed (long* results = counts)
        {
            var job = new SpGemmCountJob<T, TSemiring>
            {
                Operands = _operands,
                Choice = _choice,
                Lanes = _lanes,
                Tiles = _schedule.Tiles,
                FirstTile = first,
                Stride = stride,
                Counts = results,
            };
            RangeRunner.Run(job, count, grain: 1, _threads, _options.CancellationToken);
        }
        return counts.Sum();
    }

    private readonly void Demand(long entries)
    {
        if (entries > _mostEntries)
            throw new InsufficientMemoryException($"the product has {entries} entries of {sizeof(int) + sizeof(T)} bytes or more; {_mostEntries} are allowed");
        CsrChecks.ArrayLength(entries);
    }
}
