using Kernels.Core.NewFamily;
using Kernels.Core.Threading;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.NewFamily;

/// <summary>Whole rows, any of them on any thread.</summary>
internal readonly unsafe struct NewFamilyJob<TSimd, V>(in NewFamilyRows rows) : IRangeJob
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    private readonly NewFamilyRows _rows = rows;

    public void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
            NewFamilyKernels<TSimd, V>.Row(ref _rows.Input[row * _rows.Width], ref _rows.Output[row * _rows.Width], (nuint)_rows.Width);
    }
}
