using ILGPU;

namespace Kernels.Gpu;

/// <summary>Up to five recurrent weights of a channel, in the cell's order.</summary>
internal readonly struct RnnGpuWeights(ArrayView<float> weights, int channel, int channelCount, int weightCount)
{
    public readonly float A = Load(weights, channel, channelCount, weightCount, 0), B = Load(weights, channel, channelCount, weightCount, 1);
    public readonly float C = Load(weights, channel, channelCount, weightCount, 2), D = Load(weights, channel, channelCount, weightCount, 3);
    public readonly float E = Load(weights, channel, channelCount, weightCount, 4);

    private static float Load(ArrayView<float> weights, int channel, int channelCount, int weightCount, int index) =>
        index < weightCount ? weights[(long)index * channelCount + channel] : 0f;
}

/// <summary>A cell in value form, for ILGPU has no references into memory: a type argument of kernels. States and gates use the first places of four.</summary>
internal interface IRnnGpuCell
{
    /// <inheritdoc cref="IRnnCell.GateCount"/>
    static abstract int GateCount { get; }

    /// <inheritdoc cref="IRnnCell.StateCount"/>
    static abstract int StateCount { get; }

    /// <inheritdoc cref="IRnnCell.WeightCount"/>
    static abstract int WeightCount { get; }

    /// <summary>The state after a step.</summary>
    static abstract Float4 Step(Float4 gates, RnnGpuWeights weights, Float4 state);
}

/// <summary><see cref="DiagonalElman"/>: h' = tanh(a h + x).</summary>
internal readonly struct DiagonalElmanGpu : IRnnGpuCell
{
    public static int GateCount => 1;

    public static int StateCount => 1;

    public static int WeightCount => 1;

    public static Float4 Step(Float4 gates, RnnGpuWeights weights, Float4 state) => new(GpuMath.Tanh(GpuOps.Fma(weights.A, state.X, gates.X)), 0, 0, 0);
}

/// <summary><see cref="MinGru"/>: h' = h + sigmoid(x_z) (x_c - h).</summary>
internal readonly struct MinGruGpu : IRnnGpuCell
{
    public static int GateCount => 2;

    public static int StateCount => 1;

    public static int WeightCount => 0;

    public static Float4 Step(Float4 gates, RnnGpuWeights weights, Float4 state) =>
        new(GpuOps.Fma(GpuMath.Sigmoid(gates.X), gates.Y - state.X, state.X), 0, 0, 0);
}

/// <summary><see cref="ParaGru"/>: gates z, r, c.</summary>
internal readonly struct ParaGruGpu : IRnnGpuCell
{
    public static int GateCount => 3;

    public static int StateCount => 1;

    public static int WeightCount => 3;

    public static Float4 Step(Float4 gates, RnnGpuWeights weights, Float4 state)
    {
        float h = state.X, r = GpuMath.Sigmoid(GpuOps.Fma(weights.B, h, gates.Y)), z = GpuMath.Sigmoid(GpuOps.Fma(weights.A, h, gates.X));
        float c = GpuMath.Tanh(GpuOps.Fma(weights.C, h * r, gates.Z));
        return new Float4(GpuOps.Fma(z, c - h, h), 0, 0, 0);
    }
}

/// <summary><see cref="ParaLstm"/>: state c, h; gates f, o, u; weights a_f, a_o, a_u, p_f, p_o.</summary>
internal readonly struct ParaLstmGpu : IRnnGpuCell
{
    public static int GateCount => 3;

    public static int StateCount => 2;

    public static int WeightCount => 5;

    public static Float4 Step(Float4 gates, RnnGpuWeights weights, Float4 state)
    {
        float c = state.X, h = state.Y;
        float f = GpuMath.Sigmoid(GpuOps.Fma(weights.A, h, GpuOps.Fma(weights.D, c, gates.X))), u = GpuMath.Tanh(GpuOps.Fma(weights.C, h, gates.Z));
        float memory = GpuOps.Fma(f, c - u, u), o = GpuMath.Sigmoid(GpuOps.Fma(weights.E, memory, GpuOps.Fma(weights.B, h, gates.Y)));
        return new Float4(memory, o * GpuMath.Tanh(memory), 0, 0);
    }
}
