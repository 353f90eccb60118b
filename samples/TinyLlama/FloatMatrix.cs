using System.Numerics;
using System.Runtime.CompilerServices;

namespace TinyLlama;

/// <summary>Floats as they lie in the checkpoint. A row's result does not depend on the rows beside it.</summary>
/// <remarks>
/// Decoding reads each weight once and is bound by memory: four outputs at a time, so that four streams are fetched at once and the sums do not wait for each
/// other. With several rows these four lie in the cache for all but the first. One call at a time.
/// </remarks>
internal sealed unsafe class FloatMatrix : WeightMatrix
{
    // Outputs of a tile, and those that a thread takes at a time; with fewer multiplications than the last the work is done before a second thread has woken.
    private const int Tile = 4, Grain = 16 * Tile, WorthAThread = 1 << 18;

    private readonly ReadOnlyMemory<float> _weights;
    private readonly Action<int> _takeGrains;
    private float* _x, _y;
    private int _rows, _next;

    public FloatMatrix(ReadOnlyMemory<float> weights, int outputCount, int inputCount)
        : base(outputCount, inputCount)
    {
        _weights = weights;
        _takeGrains = _ => TakeGrains();
    }

    public override long ByteCount => (long)_weights.Length * sizeof(float);

    public override void Multiply(ReadOnlySpan<float> x, Span<float> y)
    {
        fixed (float* from = x, to = y)
        {
            _x = from;
            _y = to;
            _rows = x.Length / InputCount;
            _next = 0;
            if ((long)_rows * _weights.Length < WorthAThread)
                TakeGrains();
            else
                Parallel.For(0, Environment.ProcessorCount, _takeGrains);
        }
    }

    // The last tile begins early enough to be whole: some outputs are then computed twice, to the same bits.
    private void TakeGrains()
    {
        fixed (float* weights = _weights.Span)
        {
            for (int begin; (begin = Interlocked.Add(ref _next, Grain) - Grain) < OutputCount;)
            {
                for (int output = begin; output < Math.Min(begin + Grain, OutputCount); output += Tile)
                    RunTile(weights, Math.Max(0, Math.Min(output, OutputCount - Tile)));
            }
        }
    }

    private void RunTile(float* weights, int output)
    {
        // A matrix of fewer outputs than a tile repeats its last one.
        int last = Math.Min(Tile, OutputCount) - 1;
        float* w = weights + (nint)output * InputCount, sums = stackalloc float[Tile];
        for (int row = 0; row < _rows; row++)
        {
            Dot(_x + (nint)row * InputCount, w, w + (nint)Math.Min(1, last) * InputCount, w + (nint)Math.Min(2, last) * InputCount, w + (nint)last * InputCount,
                InputCount, sums);
            float* y = _y + (nint)row * OutputCount + output;
            for (int i = 0; i < last; i++)
                y[i] = sums[i];
            y[last] = sums[Tile - 1];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot(float* x, float* w0, float* w1, float* w2, float* w3, int count, float* sums)
    {
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        int i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> a = Vector.Load(x + i);
            s0 = Vector.MultiplyAddEstimate(a, Vector.Load(w0 + i), s0);
            s1 = Vector.MultiplyAddEstimate(a, Vector.Load(w1 + i), s1);
            s2 = Vector.MultiplyAddEstimate(a, Vector.Load(w2 + i), s2);
            s3 = Vector.MultiplyAddEstimate(a, Vector.Load(w3 + i), s3);
        }
        (sums[0], sums[1], sums[2], sums[3]) = (Vector.Sum(s0), Vector.Sum(s1), Vector.Sum(s2), Vector.Sum(s3));
        for (; i < count; i++)
        {
            sums[0] += x[i] * w0[i];
            sums[1] += x[i] * w1[i];
            sums[2] += x[i] * w2[i];
            sums[3] += x[i] * w3[i];
        }
    }
}
