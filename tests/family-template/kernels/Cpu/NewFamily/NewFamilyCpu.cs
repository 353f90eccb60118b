using Kernels.Core.NewFamily;
using Kernels.Core.Threading;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.NewFamily;

/// <summary>The driver: sizes, threads and storage. Knows no instruction set.</summary>
internal sealed class NewFamilyCpu<TSimd, V> : INewFamilyBackend
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    public void Compute(in NewFamilyRows rows, in KernelOptions options)
    {
        int threads = NewFamilyTuning.ThreadCount((long)rows.RowCount * rows.Width, options);
        RangeRunner.Run(new NewFamilyJob<TSimd, V>(rows), rows.RowCount, NewFamilyTuning.RowGrain(rows.Width), threads, options.CancellationToken);
    }
}
