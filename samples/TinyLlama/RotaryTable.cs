namespace TinyLlama;

/// <summary>Rotary positions: pair i of a head turns by the angle position / base^(2i/d), scaled where the model says so.</summary>
internal sealed class RotaryTable
{
    private const int FirstPositions = 64;

    private readonly LlamaShape _shape;
    private readonly float[] _angles;

    // [positions so far, pairs]
    private float[] _cosines = [], _sines = [];

    public RotaryTable(LlamaShape shape)
    {
        _shape = shape;
        _angles = [.. Enumerable.Range(0, shape.HeadDimension / 2).Select(Angle)];

        float Angle(int pair)
        {
            float angle = MathF.Pow(shape.RotaryBase, -2f * pair / shape.HeadDimension);
            return shape.RotaryScaling?.Scale(angle) ?? angle;
        }
    }

    /// <summary>Turns all heads of a row in place.</summary>
    public void Turn(Span<float> row, int position)
    {
        int dimension = _shape.HeadDimension, pairs = dimension / 2;
        if ((position + 1) * pairs > _cosines.Length)
            Grow(position + 1);
        ReadOnlySpan<float> cosines = _cosines.AsSpan(position * pairs, pairs), sines = _sines.AsSpan(position * pairs, pairs);
        for (int head = 0; head < row.Length; head += dimension)
        {
            for (int i = 0; i < pairs; i++)
            {
                bool neighbours = _shape.RotaryPairs == RotaryPairs.Neighbours;
                ref float a = ref row[head + (neighbours ? 2 * i : i)], b = ref row[head + (neighbours ? 2 * i + 1 : i + pairs)];
                (a, b) = (a * cosines[i] - b * sines[i], a * sines[i] + b * cosines[i]);
            }
        }
    }

    // The tables double as positions come, up to the context: a context that a file only names takes no memory.
    private void Grow(int positions)
    {
        int pairs = _angles.Length, first = _cosines.Length;
        int grown = (int)Math.Min(_shape.ContextLength, Math.Max(Math.Max(FirstPositions, positions), 2L * first / pairs));
        Array.Resize(ref _cosines, grown * pairs);
        Array.Resize(ref _sines, grown * pairs);
        for (int i = first; i < _cosines.Length; i++)
            (_sines[i], _cosines[i]) = MathF.SinCos(i / pairs * _angles[i % pairs]);
    }
}
