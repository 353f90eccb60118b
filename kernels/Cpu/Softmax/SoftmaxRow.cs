using System.Runtime.CompilerServices;
using Kernels.Core.Machine;
using Kernels.Core.Softmax;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>The two passes over one row, or part of one: sums of exponentials, and results from the sum.</summary>
internal readonly unsafe struct SoftmaxRow<T, C, TKernels, TStorage>(in SoftmaxRows<T> rows, bool nonTemporal)
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    private const int BlockLength = SoftmaxTuning.BlockLength;

    private readonly LogitStage<T, C, TKernels, TStorage> _stage = new(rows);
    private readonly SoftmaxRows<T> _rows = rows;
    private readonly bool _nonTemporal = nonTemporal;

    /// <summary>Pass 1 over a whole row, in the parts that threads would share.</summary>
    [SkipLocalsInit]
    public SoftmaxPartialSum<C> SumRow(long row)
    {
        int length = _rows.LengthOf(row), chunkLength = SoftmaxPartition.ChunkLengthOf(_rows.Shape.RowLength);
        if (length <= chunkLength)
            return Sum(row, 0, length);
        int chunkCount = SoftmaxPartition.ChunkCountOf(length, chunkLength);
        SoftmaxPartialSum<C>* parts = stackalloc SoftmaxPartialSum<C>[chunkCount];
        for (int chunk = 0; chunk < chunkCount; chunk++)
            parts[chunk] = Sum(row, chunk * chunkLength, Math.Min(chunkLength, length - chunk * chunkLength));
        return SoftmaxPartialSum<C>.Combine(new ReadOnlySpan<SoftmaxPartialSum<C>>(parts, chunkCount));
    }

    /// <summary>
    /// Pass 1: the sum of exp(x) over part of a row, each logit read from memory once. The first block's largest logit is the reference; should a later
    /// block hold one beyond what that reference leaves room for, the reference moves there and the block, still in level 1, is summed again.
    /// </summary>
    [SkipLocalsInit]
    public SoftmaxPartialSum<C> Sum(long row, int begin, int count)
    {
        C* scratch = stackalloc C[BlockLength];
        var sum = new CompensatedSum();
        SoftmaxReference<C> reference = default;
        double largest = double.NegativeInfinity;
        bool hasReference = false;
        for (int offset = 0; offset < count; offset += BlockLength)
        {
            int length = Math.Min(BlockLength, count - offset);
            C* block = _stage.Stage(row, begin + offset, length, scratch);
            double blockSum = 0;
            C blockMax = default;
            if (hasReference)
                blockSum = TKernels.SumExp(ref *block, (nuint)length, reference, out blockMax);
            if (!hasReference || !(ComputeType.ToDouble(blockMax) <= ComputeType.ToDouble(reference.Ceiling)))
            {
                blockMax = TKernels.Max(ref *block, (nuint)length);
                if (double.IsNegativeInfinity(ComputeType.ToDouble(blockMax)) && !ContainsNaN(block, length))
                    continue;
                var moved = new SoftmaxReference<C>(blockMax, 0);
                sum.Multiply(hasReference ? reference.FactorTo(moved) : 0);
                reference = moved;
                hasReference = true;
                blockSum = TKernels.SumExp(ref *block, (nuint)length, reference, out blockMax);
            }
            largest = Math.Max(largest, ComputeType.ToDouble(blockMax));
            sum.Add(blockSum);
        }
        return hasReference ? AtLargest(row, begin, count, sum.Total, reference, largest) : SoftmaxPartialSum<C>.Empty;
    }

    // From the reference that served the loop to the largest logit found (Math.Max returned NaN if a block reported one). With the same origin that is a
    // power of two; from another one the terms' digits differ, and they are summed once more, so that the sum depends on the logits alone.
    private SoftmaxPartialSum<C> AtLargest(long row, int begin, int count, double sum, in SoftmaxReference<C> reference, double largest)
    {
        C logit = ComputeType.FromDouble<C>(largest);
        if (largest == ComputeType.ToDouble(reference.Largest))
            return new(sum, logit);
        var final = new SoftmaxReference<C>(logit, 0);
        if (double.IsNaN(sum) || ComputeType.ToDouble(final.Origin) == ComputeType.ToDouble(reference.Origin))
            return new(sum * reference.FactorTo(final), logit);
        return new(SumAt(final, row, begin, count), logit);
    }

    [SkipLocalsInit]
    private double SumAt(in SoftmaxReference<C> reference, long row, int begin, int count)
    {
        C* scratch = stackalloc C[BlockLength];
        var sum = new CompensatedSum();
        for (int offset = 0; offset < count; offset += BlockLength)
        {
            int length = Math.Min(BlockLength, count - offset);
            sum.Add(TKernels.SumExp(ref *_stage.Stage(row, begin + offset, length, scratch), (nuint)length, reference, out _));
        }
        return sum.Total;
    }

    /// <summary>Pass 2: probabilities or log-probabilities of part of a row from the row's sum.</summary>
    [SkipLocalsInit]
    public void Normalize(long row, int begin, int count, in SoftmaxPartialSum<C> sum)
    {
        C* scratch = stackalloc C[BlockLength];
        T* output = _rows.Output + row * _rows.Shape.OutputRowStride + begin;
        bool isLog = _rows.Operation == SoftmaxOperation.LogProbabilities;
        SoftmaxNormalization<C> scale = isLog ? default : new(sum);
        double largest = ComputeType.ToDouble(sum.Largest), excess = isLog ? Excess(sum) : 0;
        // The first block ends where a cache line does, so that those after it are whole lines: half a line written past the caches costs more than a whole.
        int length = Math.Min(count, BlockLength - (int)((nuint)output % CacheLine.Bytes) / sizeof(T));
        for (int offset = 0; offset < count; offset += length, length = Math.Min(BlockLength, count - offset))
        {
            C* block = _stage.Stage(row, begin + offset, length, scratch);
            C* results = TStorage.IsComputeType ? (C*)(output + offset) : scratch;
            bool nonTemporal = _nonTemporal && TStorage.IsComputeType;
            if (isLog)
                TKernels.Subtract(ref *block, ref *results, (nuint)length, largest, excess, nonTemporal);
            else
                TKernels.ScaleExp(ref *block, ref *results, (nuint)length, scale.Reference, scale.Factor, nonTemporal);
            if (!TStorage.IsComputeType)
                TStorage.Narrow(scratch, output + offset, length);
        }
    }

    // log sum exp(x) - largest logit. Where little stands beside the largest, its term is taken as it was rounded in the sum, so that the difference is never
    // negative, and exactly 0 of one logit.
    private static double Excess(in SoftmaxPartialSum<C> sum)
    {
        const double little = 1.0 / 1024; // far above the roundings of the sum
        var reference = new SoftmaxReference<C>(sum.Largest, 0);
        double excess = Math.Log(sum.Sum) - reference.LogarithmOfLargest;
        return excess < little ? SoftmaxPartialSum<C>.Excess(sum.Sum, TKernels.Term(sum.Largest, reference)) : excess;
    }

    /// <summary>One probability, the same bits as <see cref="Normalize"/> gives, in the compute type.</summary>
    public C Probability(long row, int index, in SoftmaxNormalization<C> scale)
    {
        C scratch, probability = default;
        TKernels.ScaleExp(ref *_stage.Stage(row, index, 1, &scratch), ref probability, 1, scale.Reference, scale.Factor, nonTemporal: false);
        return probability;
    }

    /// <summary>
    /// Probabilities of a row whose numerators fit <paramref name="numerators"/>: largest logit, numerators and their sum, numerators divided by the sum. Each
    /// logit is exponentiated once. The numerators may stand in the output itself.
    /// </summary>
    public void ComputeFused(long row, C* numerators)
    {
        int length = _rows.LengthOf(row);
        T* output = _rows.Output + row * _rows.Shape.OutputRowStride;
        C* logits = _stage.Stage(row, 0, length, numerators);
        C largest = length == 0 ? SoftmaxPartialSum<C>.Empty.Largest : TKernels.Max(ref *logits, (nuint)length);
        if (double.IsNegativeInfinity(ComputeType.ToDouble(largest)) && !ContainsNaN(logits, length))
        {
            FillMasked(row);
            return;
        }
        var reference = new SoftmaxReference<C>(largest, SoftmaxReference<C>.NumeratorBias);
        var sum = new CompensatedSum();
        for (int offset = 0; offset < length; offset += BlockLength)
            sum.Add(TKernels.StoreExp(ref logits[offset], ref numerators[offset], (nuint)Math.Min(BlockLength, length - offset), reference));
        C* results = TStorage.IsComputeType ? (C*)output : numerators;
        TKernels.Scale(ref *numerators, ref *results, (nuint)length, new SplitReciprocal<C>(sum.Total), _nonTemporal && TStorage.IsComputeType);
        if (!TStorage.IsComputeType)
            TStorage.Narrow(numerators, output, length);
        FillTail(row, length);
    }

    /// <summary>Pass 2 and the positions that take no part, or the whole of a fully masked row.</summary>
    public void Finish(long row, in SoftmaxPartialSum<C> sum)
    {
        if (_rows.Operation == SoftmaxOperation.LogSumExp)
        {
            Store(_rows.Output + row, ExactLogarithm(row, sum));
            return;
        }
        if (sum.IsFullyMasked)
        {
            FillMasked(row);
            return;
        }
        int length = _rows.LengthOf(row);
        Normalize(row, 0, length, sum);
        FillTail(row, length);
    }

    /// <summary>Positions at or beyond the row's length: probability 0.</summary>
    public void FillTail(long row, int length) => Fill(row, length, Excluded);

    /// <summary>A row without a single finite logit: zeros or NaN.</summary>
    public void FillMasked(long row) => Fill(row, 0, _rows.Safe ? Excluded : double.NaN);

    // What a logit of minus infinity becomes.
    private double Excluded => _rows.Operation == SoftmaxOperation.Probabilities ? 0 : double.NegativeInfinity;

    private void Fill(long row, int begin, double value)
    {
        T element;
        Store(&element, value);
        new Span<T>(_rows.Output + row * _rows.Shape.OutputRowStride + begin, _rows.Shape.RowLength - begin).Fill(element);
    }

    private static void Store(T* destination, double value)
    {
        C wide = ComputeType.FromDouble<C>(value);
        TStorage.Narrow(&wide, destination, 1);
    }

    // Plus infinity makes the sum NaN, like NaN itself; only the logits tell them apart.
    [SkipLocalsInit]
    private double ExactLogarithm(long row, in SoftmaxPartialSum<C> sum)
    {
        if (!double.IsNaN(sum.Sum))
            return sum.IsFullyMasked ? double.NegativeInfinity : ComputeType.ToDouble(sum.Largest) + Excess(sum);
        C* scratch = stackalloc C[BlockLength];
        int rowLength = _rows.LengthOf(row);
        for (long begin = 0; begin < rowLength; begin += BlockLength)
        {
            int length = (int)Math.Min(BlockLength, rowLength - begin);
            if (ContainsNaN(_stage.Stage(row, begin, length, scratch), length))
                return double.NaN;
        }
        return double.PositiveInfinity;
    }

    private static bool ContainsNaN(C* logits, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (double.IsNaN(ComputeType.ToDouble(logits[i])))
                return true;
        }
        return false;
    }
}
