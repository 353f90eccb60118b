using System.Runtime.CompilerServices;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>The gradients of whole rows: a sum over the row, then an elementwise pass.</summary>
internal readonly unsafe struct SoftmaxGradientJob<T, C, TKernels, TStorage>(in SoftmaxGradientRows<T> rows) : IRangeJob
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    private const int BlockLength = SoftmaxTuning.BlockLength;

    private readonly SoftmaxGradientRows<T> _rows = rows;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        C* scratch = stackalloc C[2 * BlockLength];
        for (long row = begin; row < end; row++)
            Write(row, RowSum(row, scratch), scratch);
    }

    // sum(g p), or sum(g) for the log form, over the positions that took part.
    private double RowSum(long row, C* scratch)
    {
        double sum = 0;
        for (long begin = 0; begin < _rows.RowLength; begin += BlockLength)
        {
            nuint count = (nuint)Math.Min(BlockLength, _rows.RowLength - begin);
            C* g = Load(_rows.OutputGradient, row, begin, count, scratch);
            C* result = Load(_rows.Result, row, begin, count, scratch + BlockLength);
            sum += _rows.IsLog ? TKernels.Sum(ref *g, ref *result, count) : TKernels.Dot(ref *g, ref *result, count);
        }
        return sum;
    }

    private void Write(long row, double sum, C* scratch)
    {
        bool isCapped = _rows.SoftCap > 0;
        C total = ComputeType.FromDouble<C>(sum), scale = ComputeType.FromDouble<C>(_rows.Scale), one = ComputeType.FromDouble<C>(1);
        for (long begin = 0; begin < _rows.RowLength; begin += BlockLength)
        {
            nuint count = (nuint)Math.Min(BlockLength, _rows.RowLength - begin);
            C* g = Load(_rows.OutputGradient, row, begin, count, scratch);
            C* result = Load(_rows.Result, row, begin, count, scratch + BlockLength);
            // Into the scratch even where types agree: the gradient may stand in the place of the logits, which the slope still needs.
            if (_rows.IsLog)
                TKernels.LogGradient(ref *g, ref *result, ref *scratch, count, total, isCapped ? one : scale);
            else
                TKernels.Gradient(ref *g, ref *result, ref *scratch, count, total, isCapped ? one : scale);
            if (isCapped)
                TKernels.MultiplyCapSlope(ref *Load(_rows.Logits, row, begin, count, scratch + BlockLength), ref *scratch, count, scale,
                    ComputeType.FromDouble<C>(_rows.SoftCap));
            TStorage.Narrow(scratch, _rows.LogitGradient + row * _rows.RowLength + begin, (int)count);
        }
    }

    private C* Load(T* array, long row, long begin, nuint count, C* scratch)
    {
        T* elements = array + row * _rows.RowLength + begin;
        if (TStorage.IsComputeType)
            return (C*)elements;
        TStorage.Widen(elements, scratch, (int)count);
        return scratch;
    }
}
