using System.Runtime.CompilerServices;
using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.Softmax;

/// <summary>How a row is computed; the same for all rows of a call.</summary>
internal enum SoftmaxRowForm
{
    /// <summary>
    /// Sum, then results: the logits are read and exponentiated twice, nothing else is kept. The least traffic, for outputs beyond the caches.
    /// </summary>
    TwoPass,

    /// <summary>Numerators are kept in the output: each logit is exponentiated once, for outputs that stay in a cache.</summary>
    FusedInOutput,

    /// <summary>Numerators are kept in a scratch on the stack: each logit is exponentiated once and each result written once, for short rows.</summary>
    FusedInScratch,
}

/// <summary>Whole rows, any number of them on each thread.</summary>
internal readonly unsafe struct SoftmaxRowJob<T, C, TKernels, TStorage>(in SoftmaxRows<T> rows, SoftmaxRowForm form, bool nonTemporal) : IRangeJob
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    private readonly SoftmaxRows<T> _rows = rows;
    private readonly SoftmaxRow<T, C, TKernels, TStorage> _row = new(rows, nonTemporal);
    private readonly SoftmaxRowForm _form = form;
    private readonly bool _nonTemporal = nonTemporal;

    public void Run(long begin, long end)
    {
        switch (_form)
        {
            case SoftmaxRowForm.FusedInOutput:
                for (long row = begin; row < end; row++)
                    _row.ComputeFused(row, (C*)(_rows.Output + row * _rows.Shape.OutputRowStride));
                break;
            case SoftmaxRowForm.FusedInScratch:
                RunInScratch(begin, end);
                break;
            default:
                for (long row = begin; row < end; row++)
                    _row.Finish(row, _row.SumRow(row));
                break;
        }
        // Stores past the caches are not ordered with later ones; this makes them visible before the caller is told.
        if (_nonTemporal)
            Thread.MemoryBarrier();
    }

    [SkipLocalsInit]
    private void RunInScratch(long begin, long end)
    {
        C* numerators = stackalloc C[SoftmaxTuning.ScratchBytes / sizeof(C)];
        for (long row = begin; row < end; row++)
            _row.ComputeFused(row, numerators);
    }
}
