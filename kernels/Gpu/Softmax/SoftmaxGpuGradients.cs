namespace Kernels.Gpu;

/// <summary>The gradient of one of the forms of a softmax, element by element: a type argument of kernels.</summary>
internal interface ISoftmaxGpuGradient
{
    /// <summary>What element (g, y) adds to its row's sum; nothing where it took no part.</summary>
    static abstract float Term(float g, float y);

    /// <summary>The gradient by the scaled logit, given the row's sum.</summary>
    static abstract float Of(float g, float y, float sum);
}

/// <summary>(g - sum(g p)) p; 0 where p is 0.</summary>
internal readonly struct SoftmaxGpuProbabilityGradient : ISoftmaxGpuGradient
{
    public static float Term(float g, float p) => p == 0f ? 0f : g * p;

    public static float Of(float g, float p, float sum) => p == 0f ? 0f : (g - sum) * p;
}

/// <summary>g - exp(l) sum(g); 0 where l is minus infinity.</summary>
internal readonly struct SoftmaxGpuLogGradient : ISoftmaxGpuGradient
{
    public static float Term(float g, float l) => l == float.NegativeInfinity ? 0f : g;

    public static float Of(float g, float l, float sum) => l == float.NegativeInfinity ? 0f : g - GpuMath.Exp(l) * sum;
}
