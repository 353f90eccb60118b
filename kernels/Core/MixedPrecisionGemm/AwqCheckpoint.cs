using Kernels.Core.MixedPrecisionGemm;

namespace Kernels;

/// <summary>Reads layers of AWQ checkpoints: prefix.qweight, .qzeros, .scales, and, if there, .bias; 4 bits with zero points.</summary>
/// <remarks>
/// qweight is [inputs, outputs / 8], qzeros [groups, outputs / 8], both of 32-bit words, scales [groups, outputs] in f16, bf16 or f32. Not for several threads
/// at a time.
/// </remarks>
public sealed unsafe class AwqCheckpoint : IDisposable
{
    private const int Bits = 4, WordValues = 8;

    private readonly CheckpointReader _reader;

    private AwqCheckpoint(CheckpointReader reader) => _reader = reader;

    /// <summary>Opens a checkpoint; tensors are mapped and read when they are asked for.</summary>
    /// <param name="path">A safetensors file, a model.safetensors.index.json, or a folder with either.</param>
    /// <param name="declaration">What the layers are, in the place of what the files beside and their metadata say; null (the default) to go by the
    /// files.</param>
    /// <exception cref="TensorFileException">A file is malformed.</exception>
    public static AwqCheckpoint Open(string path, CheckpointDeclaration? declaration = null) => new(CheckpointReader.Open(path, declaration));

    /// <summary>Reads layers of files that are open already.</summary>
    /// <param name="files">The files; they stay the caller's to close.</param>
    /// <param name="declaration">As in <see cref="Open(string, CheckpointDeclaration?)"/>.</param>
    public static AwqCheckpoint Open(SafetensorsCheckpoint files, CheckpointDeclaration? declaration = null) => new(CheckpointReader.Open(files, declaration));

    /// <summary>Packs the weights of a layer.</summary>
    /// <param name="prefix">The layer, such as model.layers.0.self_attn.q_proj.</param>
    /// <param name="options">Threads and cancellation.</param>
    /// <exception cref="TensorFileException">A tensor is missing, it does not fit the others, or it contradicts what the checkpoint says of it; the message
    /// names it.</exception>
    public QuantizedWeights Load(string prefix, KernelOptions options = default)
    {
        CheckpointTensor weights = _reader.Words($"{prefix}.qweight"), zeroPoints = _reader.Words($"{prefix}.qzeros"),
            scales = _reader.Scales($"{prefix}.scales");
        if (scales.Columns % WordValues != 0)
            throw scales.Fault($"{scales.Columns} outputs are no multiple of {WordValues}");
        weights.Expect(weights.Rows, scales.Columns / WordValues);
        zeroPoints.Expect(scales.Rows, scales.Columns / WordValues);
        var values = new AwqLayout((uint*)weights.Start, (uint*)zeroPoints.Start, scales.Columns);
        var layer = new DeclaredLayer(_reader.Said(weights), weights, scales);
        layer.CheckMethod("awq");
        layer.CheckFormat("gemm");
        layer.CheckBits(Bits);
        _ = layer.IsSymmetric(values, zeroPoints, Bits);
        return CheckpointReader.Pack(values, layer, weights.Rows, QuantizedType.U4ZeroPoint, groupIndices: null, options);
    }

    /// <summary>The bias of a layer, as floats; empty if it has none.</summary>
    /// <exception cref="TensorFileException">It is no vector of floating-point numbers.</exception>
    public float[] LoadBias(string prefix) => _reader.Vector($"{prefix}.bias") ?? [];

    /// <summary>Closes the files that it opened.</summary>
    public void Dispose() => _reader.Dispose();
}
