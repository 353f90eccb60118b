using System.Buffers;
using System.Numerics;
using Kernels.Core.Threading;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>
/// GPTQ (arXiv 2210.17323, algorithm 1) for rows of outputs, which do not see each other: inputs are quantised one after another, and each one's error, divided
/// by its diagonal of U, is taken from all inputs still to come. Within a block at once; from the inputs behind it when the block is done, so that rows of U
/// are read once for all rows of weights.
/// </summary>
internal readonly unsafe struct GptqJob(float* weights, float* factor, int* order, in QuantizedWeightsLayout layout, byte* values, float* scales,
    byte* zeroPoints) : IRangeJob
{
    /// <summary>Rows that share a pass over U.</summary>
    public const int Rows = 16;

    private const int Block = QuantizedWeightsLayout.LargestSegment;

    private readonly QuantizedWeightsLayout _layout = layout;

    public void Run(long begin, long end)
    {
        float[] rows = ArrayPool<float>.Shared.Rent(Rows * _layout.InputCount), errors = ArrayPool<float>.Shared.Rent(Rows * Block);
        try
        {
            for (long row = begin; row < end; row += Rows)
                Quantize(row, (int)Math.Min(Rows, end - row), rows, errors);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rows);
            ArrayPool<float>.Shared.Return(errors);
        }
    }

    private void Quantize(long firstRow, int count, Span<float> rows, Span<float> errors)
    {
        int inputs = _layout.InputCount;
        for (int row = 0; row < count; row++)
        {
            for (int i = 0; i < inputs; i++)
                rows[row * inputs + i] = weights[(firstRow + row) * inputs + order[i]];
        }
        for (int start = 0; start < inputs; start += _layout.GroupSize)
        {
            int end = start + _layout.GroupSize;
            for (int row = 0; row < count; row++)
                Fit(firstRow + row, start / _layout.GroupSize, rows.Slice(row * inputs + start, _layout.GroupSize));
            // A group begins with a block, so that its scale sees all that came before.
            for (int block = start; block < end; block += Block)
                QuantizeBlock(firstRow, count, start / _layout.GroupSize, block, Math.Min(block + Block, end), rows, errors);
        }
    }

    private void Fit(long row, int group, ReadOnlySpan<float> part)
    {
        long index = row * _layout.GroupCount + group;
        (float scale, int zero) = GroupQuantizer.Fit(part, _layout.Format);
        scales[index] = _layout.Format.RoundedScale(scale);
        zeroPoints[index] = (byte)zero;
    }

    private void QuantizeBlock(long firstRow, int count, int group, int begin, int end, Span<float> rows, Span<float> errors)
    {
        int inputs = _layout.InputCount;
        for (int input = begin; input < end; input++)
        {
            var factors = new ReadOnlySpan<float>(factor + (long)input * inputs, inputs);
            for (int row = 0; row < count; row++)
            {
                Span<float> own = rows.Slice(row * inputs, inputs);
                float error = (own[input] - Quantize(firstRow + row, group, input, own[input])) / factors[input];
                errors[row * Block + input - begin] = error;
                SubtractScaled(own[(input + 1)..end], error, factors[(input + 1)..end]);
            }
        }
        for (int input = begin; input < end; input++)
        {
            var factors = new ReadOnlySpan<float>(factor + (long)input * inputs + end, inputs - end);
            for (int row = 0; row < count; row++)
                SubtractScaled(rows.Slice(row * inputs + end, inputs - end), errors[row * Block + input - begin], factors);
        }
    }

    // Keeps the value and returns the weight that it stands for.
    private float Quantize(long row, int group, int input, float weight)
    {
        long index = row * _layout.GroupCount + group;
        ref byte value = ref values[row * _layout.InputCount + order[input]];
        GroupQuantizer.Quantize(new ReadOnlySpan<float>(in weight), scales[index], zeroPoints[index], _layout.Format, new Span<byte>(ref value));
        return scales[index] * (_layout.Format.IsCodebook ? Codebook.Of(_layout.Format.Type)[value] : value - zeroPoints[index]);
    }

    private static void SubtractScaled(Span<float> sums, float scale, ReadOnlySpan<float> terms)
    {
        int done = 0, width = Vector<float>.Count;
        for (; done <= sums.Length - width; done += width)
            (new Vector<float>(sums[done..]) - new Vector<float>(terms[done..]) * scale).CopyTo(sums[done..]);
        for (; done < sums.Length; done++)
            sums[done] -= scale * terms[done];
    }
}
