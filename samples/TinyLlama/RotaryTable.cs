namespace TinyLlama;

/// <summary>Rotary positions: pair i of a head turns by the angle position / base^(2i/d), scaled where the model says so.</summary>
internal sealed class RotaryTable
{
    private readonly LlamaShape _shape;
    private readonly float[] _cosines;
    private readonly float[] _sines;

    public RotaryTable(LlamaShape shape)
    {
        _shape = shape;
        int pairs = shape.HeadDimension / 2;
        _cosines = new float[shape.ContextLength * pairs];
        _sines = new float[_cosines.Length];
        for (int i = 0; i < _cosines.Length; i++)
            (_sines[i], _cosines[i]) = MathF.SinCos(i / pairs * Angle(i % pairs));

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
}
