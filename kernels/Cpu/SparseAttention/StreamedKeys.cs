using System.Numerics;
using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Steps that the jobs on stored keys and values share.</summary>
internal static unsafe class StreamedKeys<TFormat> where TFormat : struct, IKeyValueFormat
{
    private const int Tile = AttentionTuning.Tile;

    /// <summary>The addresses, and scales if there are any, of a tile of at least one key and value; those missing repeat the last one.</summary>
    public static void Locate(in KeyValueRows source, in AttentionSequence sequence, int head, int first, int count, in TileAddresses addresses)
    {
        byte** keys = addresses.Keys, values = addresses.Values;
        for (int i = 0; i < count;)
        {
            long element = source.Element(sequence, head, first + i);
            for (int end = i + source.Run(sequence, first + i, count - i); i < end; i++, element += source.TokenStride)
            {
                keys[i] = source.Keys + element * TFormat.ElementBytes;
                values[i] = source.Values + element * TFormat.ElementBytes;
                if (TFormat.IsScaled)
                    (addresses.KeyScales[i], addresses.ValueScales[i]) =
                        (source.KeyScales[element / source.HeadDimension], source.ValueScales[element / source.HeadDimension]);
            }
        }
        for (int i = count; i < Tile; i++)
        {
            keys[i] = keys[count - 1];
            values[i] = values[count - 1];
        }
    }

    public static void Multiply(float* scores, float* scales, int count)
    {
        for (int i = 0; i < count; i++)
            scores[i] *= scales[i];
    }

    /// <summary>output[row] += sum of terms times values over the keys whose bits are set.</summary>
    [SkipLocalsInit]
    public static void AddSome<TKernels>(byte** values, float* valueScales, ulong takesPart, int row, in StreamedRows rows)
        where TKernels : struct, IAttentionKernels
    {
        byte** some = stackalloc byte*[Tile];
        float* terms = stackalloc float[Tile], all = rows.Scores + row * Tile;
        int count = 0;
        for (; takesPart != 0; takesPart &= takesPart - 1)
        {
            int key = BitOperations.TrailingZeroCount(takesPart);
            some[count] = values[key];
            terms[count++] = TFormat.IsScaled ? all[key] * valueScales[key] : all[key];
        }
        TKernels.AddValues<TFormat>(some, count, new StreamedRows
        {
            Scores = terms,
            Output = rows.Output + row * rows.Stride,
            Ahead = some,
            Count = 1,
            HeadDimension = rows.HeadDimension,
            Stride = rows.Stride,
        });
    }
}

/// <summary>Where a tile of stored keys and values is found; scales only where rows have them.</summary>
internal unsafe struct TileAddresses
{
    public byte** Keys;
    public byte** Values;
    public float* KeyScales;
    public float* ValueScales;
}
