using Kernels.Core.MixedPrecisionGemm;

namespace Kernels;

/// <summary>Reads layers of checkpoints in MARLIN's own layout: prefix.B, .s, and, if there, .bias; symmetric, 4 and 8 bits.</summary>
/// <remarks>
/// B is [inputs / 16, outputs * bits / 2] of 32-bit words, s [groups, outputs] in f16, bf16 or f32, both permuted as <see cref="MarlinLayout"/> says; the
/// number of bits follows from the shapes. Not for several threads at a time.
/// </remarks>
public sealed unsafe class MarlinCheckpoint : IDisposable
{
    private const int TileInputs = 16, TileOutputs = 64;

    private readonly CheckpointReader _reader;

    private MarlinCheckpoint(CheckpointReader reader) => _reader = reader;

    /// <summary>Opens a checkpoint; tensors are mapped and read when they are asked for.</summary>
    /// <param name="path">A safetensors file, a model.safetensors.index.json, or a folder with either.</param>
    /// <param name="declaration">What the layers are, in the place of what the files beside and their metadata say; null (the default) to go by the
    /// files.</param>
    /// <exception cref="TensorFileException">A file is malformed.</exception>
    public static MarlinCheckpoint Open(string path, CheckpointDeclaration? declaration = null) => new(CheckpointReader.Open(path, declaration));

    /// <summary>Reads layers of files that are open already.</summary>
    /// <param name="files">The files; they stay the caller's to close.</param>
    /// <param name="declaration">As in <see cref="Open(string, CheckpointDeclaration?)"/>.</param>
    public static MarlinCheckpoint Open(SafetensorsCheckpoint files, CheckpointDeclaration? declaration = null) =>
        new(CheckpointReader.Open(files, declaration));

    /// <summary>Packs the weights of a layer.</summary>
    /// <param name="prefix">The layer, such as model.layers.0.self_attn.q_proj.</param>
    /// <param name="options">Threads and cancellation.</param>
    /// <exception cref="TensorFileException">A tensor is missing, it does not fit the others, or it contradicts what the checkpoint says of it; the message
    /// names it.</exception>
    public QuantizedWeights Load(string prefix, KernelOptions options = default)
    {
        CheckpointTensor weights = _reader.Words($"{prefix}.B"), scales = _reader.Scales($"{prefix}.s");
        if (scales.Columns % TileOutputs != 0)
            throw scales.Fault($"{scales.Columns} outputs are no multiple of {TileOutputs}");
        int bits = weights.Columns == scales.Columns * 2L ? 4 : weights.Columns == scales.Columns * 4L ? 8
            : throw weights.Fault($"{weights.Info.ShapeText} holds neither 4 nor 8 bits for each of {scales.Columns} outputs");
        if (weights.Rows > int.MaxValue / TileInputs)
            throw weights.Fault($"{weights.Info.ShapeText} has more inputs than there can be");
        var values = new MarlinTensors((uint*)weights.Start, scales.Columns, scales.Rows, bits);
        var layer = new DeclaredLayer(_reader.Said(weights), weights, scales);
        layer.CheckMethod("marlin", "gptq");
        layer.CheckFormat("marlin");
        layer.CheckBits(bits);
        if (layer.Said.IsSymmetric == false)
            throw weights.Fault($"{layer.Said.Source} says that the layers have zero points, which this format has not");
        return CheckpointReader.Pack(values, layer, weights.Rows * TileInputs, bits == 4 ? QuantizedType.U4 : QuantizedType.U8, groupIndices: null, options);
    }

    /// <summary>The bias of a layer, as floats; empty if it has none.</summary>
    /// <exception cref="TensorFileException">It is no vector of floating-point numbers.</exception>
    public float[] LoadBias(string prefix) => _reader.Vector($"{prefix}.bias") ?? [];

    /// <summary>Closes the files that it opened.</summary>
    public void Dispose() => _reader.Dispose();
}
