namespace TinyLlama;

/// <summary>The rows that go from matrix to matrix: made once for a number of rows, and used again by every layer and token.</summary>
internal sealed class Activations(LlamaShape shape, int rows)
{
    public int Rows => rows;

    /// <summary>The residual stream, [rows, dimension].</summary>
    public float[] States { get; } = new float[rows * shape.Dimension];

    /// <summary>What a norm makes of the states; then what is added to them.</summary>
    public float[] Normalized { get; } = new float[rows * shape.Dimension];

    public float[] Queries { get; } = new float[rows * shape.Dimension];

    public float[] Keys { get; } = new float[rows * shape.KvDimension];

    public float[] Values { get; } = new float[rows * shape.KvDimension];

    /// <summary>What attention gives, [rows, heads, d].</summary>
    public float[] Mixed { get; } = new float[rows * shape.Dimension];

    public float[] Gate { get; } = new float[rows * shape.HiddenDimension];

    public float[] Up { get; } = new float[rows * shape.HiddenDimension];
}
