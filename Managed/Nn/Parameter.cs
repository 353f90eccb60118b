namespace Kernels.Nn;

/// <summary>A named array of weights and its gradient, which backward passes add to and an optimiser consumes.</summary>
public sealed class Parameter
{
    /// <param name="name">The name.</param>
    /// <param name="shape">At most two dimensions, whose product an array can hold.</param>
    internal Parameter(string name, params ReadOnlySpan<long> shape)
    {
        Name = name;
        Shape = shape.ToArray();
        long count = 1;
        foreach (long dimension in shape)
            count *= dimension;
        Values = new float[count];
        Gradients = new float[count];
    }

    /// <summary>The name in a checkpoint, unique within a model.</summary>
    public string Name { get; }

    /// <summary>The dimensions, row-major.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The weights.</summary>
    public float[] Values { get; }

    /// <summary>The loss's gradient by them.</summary>
    public float[] Gradients { get; }

    internal void FillUniform(Random random, double bound)
    {
        foreach (ref float value in Values.AsSpan())
            value = (float)(bound * (2 * random.NextDouble() - 1));
    }

    internal void FillNormal(Random random, double deviation)
    {
        foreach (ref float value in Values.AsSpan())
            value = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
    }
}
