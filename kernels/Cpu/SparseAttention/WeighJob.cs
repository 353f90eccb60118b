using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Outputs from probabilities, of which many are 0; items are key-value heads.</summary>
internal readonly unsafe struct WeighJob<TKernels, TFormat>(in AttentionScoreCall call, int stride) : IRangeJob
    where TKernels : struct, IAttentionKernels
    where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionScoreCall _call = call;
    private readonly int _stride = stride;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        AttentionShape shape = _call.Attention.Shape;
        byte** keys = stackalloc byte*[Tile], values = stackalloc byte*[Tile];
        float* keyScales = stackalloc float[Tile], valueScales = stackalloc float[Tile], output = stackalloc float[_stride];
        for (long head = begin * shape.GroupSize; head < end * shape.GroupSize; head++)
        {
            float* probabilities = _call.Probabilities + head * _call.Stride;
            new Span<float>(output, _stride).Clear();
            for (int first = 0; first < _call.Attention.Sequences->KeyCount; first += Tile)
            {
                int count = Math.Min(Tile, _call.Attention.Sequences->KeyCount - first);
                ulong takesPart = NotZero(probabilities + first, count);
                if (takesPart == 0)
                    continue;
                StreamedKeys<TFormat>.Locate(_call.Attention.Source, *_call.Attention.Sequences, (int)head / shape.GroupSize, first, count,
                    new TileAddresses { Keys = keys, Values = values, KeyScales = keyScales, ValueScales = valueScales });
                var rows = new StreamedRows
                {
                    Scores = probabilities + first,
                    Output = output,
                    Ahead = values,
                    Count = 1,
                    HeadDimension = shape.HeadDimension,
                    Stride = _stride
                };
                StreamedKeys<TFormat>.AddSome<TKernels>(values, valueScales, takesPart, 0, rows);
            }
            new ReadOnlySpan<float>(output, shape.HeadDimension)
                .CopyTo(new Span<float>(_call.Attention.Output + head * shape.HeadDimension, shape.HeadDimension));
        }
    }

    private static ulong NotZero(float* probabilities, int count)
    {
        ulong bits = 0;
        for (int key = 0; key < count; key++)
            bits |= probabilities[key] == 0 ? 0 : 1UL << key;
        return bits;
    }
}
