using System.Runtime.CompilerServices;
using Kernels.Core.Softmax;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>
/// The k largest probabilities of whole rows. The indices output is a heap with the least of the k on top while a row is read; logits are looked up
/// again by index, so that no other memory is needed.
/// </summary>
internal readonly unsafe struct SoftmaxTopKJob<T, C, TKernels, TStorage>(in SoftmaxRows<T> rows, T* values, int* indices, int count) : IRangeJob
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    // Logits passed over together when none of them exceeds the least of the k.
    private const int SkipLength = 128;

    private readonly SoftmaxRows<T> _rows = rows;
    private readonly LogitStage<T, C, TKernels, TStorage> _stage = new(rows);
    private readonly SoftmaxRow<T, C, TKernels, TStorage> _row = new(rows, nonTemporal: false);
    private readonly T* _values = values;
    private readonly int* _indices = indices;
    private readonly int _count = count;

    public void Run(long begin, long end)
    {
        for (long row = begin; row < end; row++)
        {
            SoftmaxPartialSum<C> sum = _row.SumRow(row);
            var heap = new Span<int>(_indices + row * _count, _count);
            if (double.IsNaN(sum.Sum))
                TakeFirst(heap);
            else
                Select(row, heap);
            StoreProbabilities(row, heap, sum);
        }
    }

    private static void TakeFirst(Span<int> indices)
    {
        for (int i = 0; i < indices.Length; i++)
            indices[i] = i;
    }

    private void Select(long row, Span<int> heap)
    {
        int length = _rows.LengthOf(row);
        // Positions without a part in the row come after all others; their indices are the lowest free ones, those from the length on.
        TakeFirst(heap);
        int filled = Math.Min(heap.Length, length);
        Span<int> active = heap[..filled];
        for (int i = filled / 2 - 1; i >= 0; i--)
            SiftDown(row, active, i);
        if (filled == heap.Length)
            ReadRest(row, active, length);
        for (int end = filled - 1; end > 0; end--)
        {
            (active[0], active[end]) = (active[end], active[0]);
            SiftDown(row, active[..end], 0);
        }
    }

    [SkipLocalsInit]
    private void ReadRest(long row, Span<int> heap, int length)
    {
        C* scratch = stackalloc C[SkipLength];
        double least = Logit(row, heap[0]);
        for (long begin = heap.Length; begin < length; begin += SkipLength)
        {
            int blockLength = (int)Math.Min(SkipLength, length - begin);
            C* block = _stage.Stage(row, begin, blockLength, scratch);
            if (!(ComputeType.ToDouble(TKernels.Max(ref *block, (nuint)blockLength)) > least))
                continue;
            for (int i = 0; i < blockLength; i++)
            {
                // Equal logits keep the lower index, which is already in.
                if (!(ComputeType.ToDouble(block[i]) > least))
                    continue;
                heap[0] = (int)begin + i;
                SiftDown(row, heap, 0);
                least = Logit(row, heap[0]);
            }
        }
    }

    private void SiftDown(long row, Span<int> heap, int parent)
    {
        int moved = heap[parent];
        double logit = Logit(row, moved);
        for (int child = 2 * parent + 1; (uint)child < (uint)heap.Length; child = 2 * parent + 1)
        {
            double childLogit = Logit(row, heap[child]);
            if (child + 1 < heap.Length)
            {
                double other = Logit(row, heap[child + 1]);
                if (IsLess(other, heap[child + 1], childLogit, heap[child]))
                    (child, childLogit) = (child + 1, other);
            }
            if (!IsLess(childLogit, heap[child], logit, moved))
                break;
            heap[parent] = heap[child];
            parent = child;
        }
        heap[parent] = moved;
    }

    // The order of the heap: by logit, and of equal logits the higher index is the lesser.
    private static bool IsLess(double a, int indexA, double b, int indexB) => a < b || (a == b && indexA > indexB);

    private double Logit(long row, int index)
    {
        C scratch;
        return ComputeType.ToDouble(*_stage.Stage(row, index, 1, &scratch));
    }

    private void StoreProbabilities(long row, ReadOnlySpan<int> indices, in SoftmaxPartialSum<C> sum)
    {
        int length = _rows.LengthOf(row);
        var normalization = new SoftmaxNormalization<C>(sum);
        C excluded = default, unknown = ComputeType.FromDouble<C>(sum.IsFullyMasked && _rows.Safe ? 0 : double.NaN);
        bool isKnown = !sum.IsFullyMasked && !double.IsNaN(sum.Sum);
        for (int i = 0; i < indices.Length; i++)
        {
            C probability = !isKnown ? unknown : indices[i] < length ? _row.Probability(row, indices[i], normalization) : excluded;
            TStorage.Narrow(&probability, _values + row * _count + i, 1);
        }
    }
}
