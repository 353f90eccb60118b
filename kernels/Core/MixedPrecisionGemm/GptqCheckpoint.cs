namespace Kernels;

/// <summary>How a GPTQ checkpoint keeps its zero points.</summary>
public enum GptqVersion
{
    /// <summary>Less one, modulo 2^bits: what AutoGPTQ writes ("gptq").</summary>
    V1,

    /// <summary>As they are ("gptq_v2").</summary>
    V2,
}

/// <summary>Reads layers of GPTQ checkpoints: prefix.qweight, .qzeros, .scales, and, if there, .g_idx and .bias; 4 and 8 bits; act-order.</summary>
/// <remarks>
/// qweight is [inputs * bits / 32, outputs], qzeros [groups, outputs * bits / 32], both of 32-bit words, scales [groups, outputs] in f16, bf16 or f32; the number of bits follows from the
/// shapes. A layer whose zero points are all half of the range becomes a symmetric one. Not for several threads at a time.
/// </remarks>
public sealed unsafe class GptqCheckpoint : IDisposable
{
    private readonly CheckpointReader _reader;
    private readonly GptqVersion _version;

    private GptqCheckpoint(GptqVersion version, CheckpointReader reader)
    {
        _version = version;
        _reader = reader;
    }

    /// <summary>Opens a checkpoint; tensors are mapped and read when they are asked for.</summary>
    /// <param name="path">A safetensors file, a model.safetensors.index.json, or a folder with either.</param>
    /// <param name="version">How zero points are kept: quantize_config.json says so under checkpoint_format.</param>
    /// <exception cref="KernelFormatException">A file is malformed.</exception>
    public static GptqCheckpoint Open(string path, GptqVersion version = GptqVersion.V1) => new(Checked(version), new CheckpointReader(path));

    /// <summary>Reads layers of files that are open already.</summary>
    /// <param name="files">The files; they stay the caller's to close.</param>
    /// <param name="version">As in <see cref="Open(string, GptqVersion)"/>.</param>
    public static GptqCheckpoint Open(SafetensorsCheckpoint files, GptqVersion version = GptqVersion.V1) => new(Checked(version), new CheckpointReader(files));

    /// <summary>Packs the weights of a layer.</summary>
    /// <param name="prefix">The layer, such as model.layers.0.self_attn.q_proj.</param>
    /// <param name="options">Threads and cancellation.</param>
    /// <exception cref="KernelFormatException">A tensor is missing, or it does not fit the others; the message names it.</exception>
    public QuantizedWeights Load(string prefix, in KernelOptions options = default)
    {
        CheckpointTensor weights = _reader.Words($"{prefix}.qweight"), zeroPoints = _reader.Words($"{prefix}.qzeros"), scales = _reader.Scales($"{prefix}.scales");
        long zeroBits = zeroPoints.Columns * 32L;
        int bits = zeroBits == scales.Columns * 4L ? 4 : zeroBits == scales.Columns * 8L ? 8
            : throw zeroPoints.Fault($"{zeroPoints.Info.ShapeText} holds neither 4 nor 8 bits for each of {scales.Columns} outputs");
        weights.Expect(weights.Rows, scales.Columns);
        zeroPoints.Expect(scales.Rows, scales.Columns * (long)bits / 32);
        if (weights.Rows > int.MaxValue / (32 / bits))
            throw weights.Fault($"{weights.Info.ShapeText} has more inputs than there can be");
        int inputCount = weights.Rows * (32 / bits);
        var values = new GptqLayout((uint*)weights.Start, (uint*)zeroPoints.Start, scales.Columns, bits, _version == GptqVersion.V1 ? 1 : 0);
        QuantizedType type = (bits, CheckpointReader.IsSymmetric(values, scales, bits)) switch
        {
            (4, true) => QuantizedType.U4,
            (4, false) => QuantizedType.U4ZeroPoint,
            (_, true) => QuantizedType.U8,
            _ => QuantizedType.U8ZeroPoint,
        };
        return CheckpointReader.Pack(values, weights, scales, inputCount, type, _reader.GroupIndices($"{prefix}.g_idx", inputCount), options);
    }

    /// <summary>The bias of a layer, as floats; empty if it has none.</summary>
    /// <exception cref="KernelFormatException">It is no vector of floating-point numbers.</exception>
    public float[] LoadBias(string prefix) => _reader.Vector($"{prefix}.bias") ?? [];

    /// <summary>Closes the files that it opened.</summary>
    public void Dispose() => _reader.Dispose();

    private static GptqVersion Checked(GptqVersion version) => Enum.IsDefined(version) ? version : throw new ArgumentOutOfRangeException(nameof(version), version, "no such version");
}
