namespace Kernels.Perf;

/// <summary>Another library's softmax of float rows.</summary>
internal interface ISoftmaxRival
{
    /// <summary>A result further off was not computed from the same problem; rounding alone costs the rivals up to 3e-3 on 16 million elements.</summary>
    const double Tolerance = 1e-2;

    RivalStatus Status { get; }

    /// <summary>Whether it can use more than one thread.</summary>
    bool UsesThreads { get; }

    IContender Open(SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, int threads);
}
