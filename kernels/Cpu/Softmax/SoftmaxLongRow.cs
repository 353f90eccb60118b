using System.Runtime.CompilerServices;
using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Softmax;

/// <summary>One long row on several threads: sums of its chunks, one sum of those in their order, then results of its chunks.</summary>
internal readonly unsafe struct SoftmaxLongRow<T, C, TKernels, TStorage>(in SoftmaxRows<T> rows, bool nonTemporal)
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    private readonly SoftmaxRows<T> _rows = rows;
    private readonly bool _nonTemporal = nonTemporal;

    [SkipLocalsInit]
    public void Run(long row, int threads, CancellationToken cancellation)
    {
        var part = new SoftmaxRow<T, C, TKernels, TStorage>(_rows, _nonTemporal);
        int length = _rows.LengthOf(row), chunkLength = SoftmaxPartition.ChunkLengthOf(_rows.Shape.RowLength);
        int chunkCount = SoftmaxPartition.ChunkCountOf(length, chunkLength);
        if (chunkCount <= 1)
        {
            part.Finish(row, part.SumRow(row));
            return;
        }
        SoftmaxPartialSum<C>* sums = stackalloc SoftmaxPartialSum<C>[chunkCount];
        var job = new ChunkJob(part, row, length, chunkLength, sums, default, isSummation: true, _nonTemporal);
        RangeRunner.Run(job, chunkCount, grain: 1, threads, cancellation);
        SoftmaxPartialSum<C> sum = SoftmaxPartialSum<C>.Combine(new ReadOnlySpan<SoftmaxPartialSum<C>>(sums, chunkCount));
        if (_rows.Operation == SoftmaxOperation.LogSumExp || sum.IsFullyMasked)
        {
            part.Finish(row, sum);
            return;
        }
        RangeRunner.Run(new ChunkJob(part, row, length, chunkLength, sums, sum, isSummation: false, _nonTemporal), chunkCount, grain: 1, threads, cancellation);
        part.FillTail(row, length);
    }

    private readonly struct ChunkJob(
        SoftmaxRow<T, C, TKernels, TStorage> part, long row, int length, int chunkLength, SoftmaxPartialSum<C>* sums, SoftmaxPartialSum<C> total,
        bool isSummation, bool nonTemporal) : IRangeJob
    {
        public void Run(long begin, long end)
        {
            for (long chunk = begin; chunk < end; chunk++)
            {
                int offset = (int)chunk * chunkLength, count = Math.Min(chunkLength, length - offset);
                if (isSummation)
                    sums[chunk] = part.Sum(row, offset, count);
                else
                    part.Normalize(row, offset, count, total);
            }
            if (nonTemporal && !isSummation)
                Thread.MemoryBarrier();
        }
    }
}
