using Kernels.Core.Threading;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Affine recurrences, each channel step after step. Items are registers of channels of one sequence, where they lie; a last register of fewer channels begins
/// within the one before it, whose bits it computes again. Some items take turns, window after window, so that one's latency hides behind the others' work and
/// rows are read whole.
/// </summary>
internal readonly unsafe struct AffineScanJob<TBlock, TSimd, V, T>(AffineArrays<T> arrays) : IRangeJob
    where TBlock : struct, IBlockSize
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly AffineArrays<T> _arrays = arrays;
    private readonly RnnStrides _strides = RnnStrides.Of(arrays.Shape, arrays.Direction, TBlock.Size * TBlock.Size, TBlock.Size);

    private int TilesPerSequence => (int)(((long)_strides.Channels + TSimd.Count - 1) / TSimd.Count);

    public long ItemCount => (long)_arrays.Shape.SequenceCount * TilesPerSequence;

    /// <summary>Items handed out at a time: those that take turns.</summary>
    public long Grain(int threads) => Math.Clamp((ItemCount + threads - 1) / threads, 1, RnnTuning.ScanTiles);

    public void Run(long begin, long end)
    {
        if (_strides.Channels >= TSimd.Count)
            Run(begin, end, default(WholeRegister<TSimd, V, T>));
        else if (_strides.Channels > 1)
            Run(begin, end, new PartialRegister<TSimd, V, T>(_strides.Channels));
        else
            Run(begin, end, default(SingleLane<TSimd, V, T>));
    }

    private void Run<TAccess>(long begin, long end, TAccess access) where TAccess : struct, ILaneAccess<V, T>
    {
        AffineTile<T>* tiles = stackalloc AffineTile<T>[RnnTuning.ScanTiles];
        for (long item = begin; item < end;)
        {
            int count = (int)Math.Min(RnnTuning.ScanTiles, end - item);
            for (int i = 0; i < count; i++)
                tiles[i] = Begin(item + i, access);
            for (bool isOpen = true; isOpen;)
            {
                isOpen = false;
                for (int i = 0; i < count; i++)
                {
                    if (tiles[i].Steps == 0)
                        continue;
                    AffineRecurrence<TBlock, TSimd, V, T>.Run(ref tiles[i], access, Math.Min(tiles[i].Steps, RnnTuning.ScanWindowSteps));
                    isOpen |= tiles[i].Steps > 0;
                }
            }
            item += count;
        }
    }

    private AffineTile<T> Begin<TAccess>(long item, TAccess access) where TAccess : struct, ILaneAccess<V, T>
    {
        int sequence = (int)(item / TilesPerSequence), last = Math.Max(0, _strides.Channels - TSimd.Count);
        int channel = (int)Math.Min(item % TilesPerSequence * TSimd.Count, last);
        int length = _arrays.Lengths == null ? _arrays.Shape.StepCount : _arrays.Lengths[sequence];
        long first = _arrays.Direction == RnnDirection.Reverse ? length - 1 : 0;
        long state = sequence * _strides.StateSequence + first * Math.Abs(_strides.StateStep) + channel;
        var tile = new AffineTile<T>
        {
            Matrices = _arrays.Matrices + sequence * _strides.GateSequence + first * Math.Abs(_strides.GateStep) + channel,
            Offsets = _arrays.Offsets + state,
            States = _arrays.States + state,
            MatrixStep = _strides.GateStep,
            StateStep = _strides.StateStep,
            RowStride = (long)(_arrays.IsTransposed ? 1 : TBlock.Size) * _strides.Channels,
            ColumnStride = (long)(_arrays.IsTransposed ? TBlock.Size : 1) * _strides.Channels,
            Channels = _strides.Channels,
            Steps = length,
        };
        if (_arrays.InitialState != null)
            tile.Before = _arrays.InitialState + (long)sequence * TBlock.Size * _strides.Channels + channel;
        if (_arrays.IsTransposed && length > 0)
            BeginGradient(ref tile, access);
        return tile;
    }

    // The first gradient is the offset alone; from there on each takes the matrix of the step before it.
    private static void BeginGradient<TAccess>(ref AffineTile<T> tile, TAccess access) where TAccess : struct, ILaneAccess<V, T>
    {
        for (int component = 0; component < TBlock.Size; component++)
            access.Store(access.Load(tile.Offsets + component * tile.Channels), tile.States + component * tile.Channels);
        tile.Before = tile.States;
        tile.Offsets += tile.StateStep;
        tile.States += tile.StateStep;
        tile.Steps--;
    }
}
