using Kernels.Core.MixedPrecisionGemm;

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
/// qweight is [inputs * bits / 32, outputs], qzeros [groups, outputs * bits / 32], both of 32-bit words, scales [groups, outputs] in f16, bf16 or f32; the
/// number of bits follows from the shapes. A layer whose zero points are all half of the range becomes a symmetric one. Not for several threads at a time.
/// </remarks>
public sealed unsafe class GptqCheckpoint : IDisposable
{
    private const string FormatOfV1 = "gptq", FormatOfV2 = "gptq_v2";

    private readonly CheckpointReader _reader;
    private readonly GptqVersion? _version;

    private GptqCheckpoint(GptqVersion? version, CheckpointReader reader)
    {
        _version = version;
        _reader = reader;
    }

    /// <summary>Opens a checkpoint; tensors are mapped and read when they are asked for.</summary>
    /// <param name="path">A safetensors file, a model.safetensors.index.json, or a folder with either.</param>
    /// <param name="version"> How zero points are kept; null (the default) for what the files say (checkpoint_format), and <see cref="GptqVersion.V1"/> where
    /// they say nothing. A layer whose files say something else is refused.
    /// </param>
    /// <exception cref="TensorFileException">A file is malformed.</exception>
    public static GptqCheckpoint Open(string path, GptqVersion? version = null)
    {
        Check(version);
        return new GptqCheckpoint(version, CheckpointReader.Open(path, given: null));
    }

    /// <summary>Opens a checkpoint of which the caller says what it is.</summary>
    /// <param name="path">As in <see cref="Open(string, GptqVersion?)"/>.</param>
    /// <param name="declaration">What the layers are, in the place of what the files beside and their metadata say.</param>
    /// <exception cref="TensorFileException">A file is malformed.</exception>
    public static GptqCheckpoint Open(string path, CheckpointDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        return new GptqCheckpoint(version: null, CheckpointReader.Open(path, declaration));
    }

    /// <summary>Reads layers of files that are open already.</summary>
    /// <param name="files">The files; they stay the caller's to close.</param>
    /// <param name="version">As in <see cref="Open(string, GptqVersion?)"/>.</param>
    public static GptqCheckpoint Open(SafetensorsCheckpoint files, GptqVersion? version = null)
    {
        Check(version);
        return new GptqCheckpoint(version, CheckpointReader.Open(files, given: null));
    }

    /// <summary>Reads layers of files that are open already, of which the caller says what they are.</summary>
    /// <param name="files">The files; they stay the caller's to close.</param>
    /// <param name="declaration">As in <see cref="Open(string, CheckpointDeclaration)"/>.</param>
    public static GptqCheckpoint Open(SafetensorsCheckpoint files, CheckpointDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        return new GptqCheckpoint(version: null, CheckpointReader.Open(files, declaration));
    }

    /// <summary>Packs the weights of a layer.</summary>
    /// <param name="prefix">The layer, such as model.layers.0.self_attn.q_proj.</param>
    /// <param name="options">Threads and cancellation.</param>
    /// <exception cref="TensorFileException">A tensor is missing, it does not fit the others, or it contradicts what the checkpoint says of it; the message
    /// names it.</exception>
    public QuantizedWeights Load(string prefix, KernelOptions options = default)
    {
        CheckpointTensor weights = _reader.Words($"{prefix}.qweight"), zeroPoints = _reader.Words($"{prefix}.qzeros"),
            scales = _reader.Scales($"{prefix}.scales");
        long zeroBits = zeroPoints.Columns * 32L;
        int bits = zeroBits == scales.Columns * 4L ? 4 : zeroBits == scales.Columns * 8L ? 8
            : throw zeroPoints.Fault($"{zeroPoints.Info.ShapeText} holds neither 4 nor 8 bits for each of {scales.Columns} outputs");
        weights.Expect(weights.Rows, scales.Columns);
        zeroPoints.Expect(scales.Rows, scales.Columns * (long)bits / 32);
        if (weights.Rows > int.MaxValue / (32 / bits))
            throw weights.Fault($"{weights.Info.ShapeText} has more inputs than there can be");
        int inputCount = weights.Rows * (32 / bits);
        var layer = new DeclaredLayer(_reader.Said(weights), weights, scales);
        layer.CheckMethod(FormatOfV1);
        layer.CheckFormat(FormatOfV1, FormatOfV2);
        layer.CheckBits(bits);
        GptqVersion version = Version(layer);
        var values = new GptqLayout((uint*)weights.Start, (uint*)zeroPoints.Start, scales.Columns, bits, version == GptqVersion.V1 ? 1 : 0);
        CheckVersion(layer, values, zeroPoints, version, bits);
        QuantizedType type = (bits, layer.IsSymmetric(values, zeroPoints, bits)) switch
        {
            (4, true) => QuantizedType.U4,
            (4, false) => QuantizedType.U4ZeroPoint,
            (_, true) => QuantizedType.U8,
            _ => QuantizedType.U8ZeroPoint,
        };
        return CheckpointReader.Pack(values, layer, inputCount, type, _reader.GroupIndices($"{prefix}.g_idx", inputCount), options);
    }

    private GptqVersion Version(in DeclaredLayer layer)
    {
        GptqVersion? said = layer.Said.Format switch { FormatOfV1 => GptqVersion.V1, FormatOfV2 => GptqVersion.V2, _ => null };
        return _version is null || said is null || _version == said ? _version ?? said ?? GptqVersion.V1
            : throw layer.Weights.Fault($"{layer.Said.Source} says format '{layer.Said.Format}', but version {_version} was asked for");
    }

    // Symmetric layers of the other version look as if all their zero points were off by one; layers that say that they have zero points, or callers that name
    // the version, may mean it.
    private void CheckVersion(in DeclaredLayer layer, GptqLayout values, CheckpointTensor zeroPoints, GptqVersion version, int bits)
    {
        int middle = 1 << (bits - 1), misread = version == GptqVersion.V1 ? middle + 1 : middle - 1;
        bool mayBeMeant = layer.Said.IsSymmetric == false || (layer.Said.IsSymmetric is null && _version is not null);
        if (!mayBeMeant && layer.AllAre(values, misread))
            throw zeroPoints.Fault($"every zero point is {misread} by version {version} of the format and {middle}, that of symmetric layers, by the other: " +
                $"the right version must be declared");
    }

    /// <summary>The bias of a layer, as floats; empty if it has none.</summary>
    /// <exception cref="TensorFileException">It is no vector of floating-point numbers.</exception>
    public float[] LoadBias(string prefix) => _reader.Vector($"{prefix}.bias") ?? [];

    /// <summary>Closes the files that it opened.</summary>
    public void Dispose() => _reader.Dispose();

    private static void Check(GptqVersion? version)
    {
        if (version is { } given && !Enum.IsDefined(given))
            throw new ArgumentOutOfRangeException(nameof(version), version, "no such version");
    }
}
