using System.Runtime.CompilerServices;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>
/// Channels of any runs, each from its own start over its own steps, a tile of registers at a time, copied to scratch. Items are tiles; a tile's groups begin
/// at its first one.
/// </summary>
internal readonly unsafe struct RnnLanesJob<TCell, TSimd, V, T>(RnnLanes<T>* groups, long* firstGroups, RnnStrides strides) : IRangeJob
    where TCell : struct, IRnnCell
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly RnnLanes<T>* _groups = groups;
    private readonly long* _firstGroups = firstGroups;
    private readonly RnnStrides _strides = strides;

    public static int TileLanes => RnnTuning.TileVectors * TSimd.Count;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        long elements = StagedTile<TCell, TSimd, V, T>.ScratchElements(TileLanes);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(RentedScratch.Bytes<T>(elements))];
        using var memory = new RentedScratch(frame, RentedScratch.Bytes<T>(elements));
        T* scratch = memory.Take<T>(elements);
        for (long tile = begin; tile < end; tile++)
        {
            var own = new ReadOnlySpan<RnnLanes<T>>(_groups + _firstGroups[tile], (int)(_firstGroups[tile + 1] - _firstGroups[tile]));
            int lanes = own[^1].Lane + own[^1].Count;
            new StagedTile<TCell, TSimd, V, T>(scratch, (lanes + TSimd.Count - 1) / TSimd.Count * TSimd.Count, _strides).Run(own);
        }
    }
}
