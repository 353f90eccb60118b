using System.Numerics.Tensors;
using Kernels;

namespace TinyLlama;

/// <summary>
/// A checkpoint as Hugging Face keeps it: config.json and safetensors, in one file or in shards. Tensors are f32, f16 or bf16; matrices may also be GPTQ's or
/// AWQ's, in tensors of the same name that end in .qweight, .qzeros, .scales and .g_idx in the place of .weight. Every tensor's shape is checked when the
/// checkpoint is opened.
/// </summary>
internal sealed class HuggingFaceCheckpoint : ICheckpoint
{
    private const string WeightSuffix = ".weight";

    private readonly SafetensorsCheckpoint _files;
    private readonly QuantizationConfig? _quantization;
    private readonly Func<string, QuantizedWeights>? _load;
    private readonly Dictionary<string, QuantizedWeights> _packed = [];

    // Floats that a file does not hold as such are shared while somebody uses them: a model that packs them anew lets go.
    private readonly Dictionary<string, WeakReference<float[]>> _widened = [];

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">The folder, or a safetensors file or index in it.</param>
    /// <param name="longestContext">Cuts the context of models that allow more than there is memory for.</param>
    public HuggingFaceCheckpoint(string path, int longestContext = int.MaxValue)
    {
        HuggingFaceConfig config = HuggingFaceConfig.Read(Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!, longestContext);
        Shape = config.Shape;
        _quantization = config.Quantization;
        _files = SafetensorsCheckpoint.Open(path);
        try
        {
            if (_quantization is not null)
                _load = _quantization.Method == QuantizationMethod.Awq ? LoaderOf(AwqCheckpoint.Open(_files)) : LoaderOf(GptqCheckpoint.Open(_files));
            foreach ((string name, long[] dimensions) in Shape.Tensors)
                Check(name, dimensions);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public LlamaShape Shape { get; }

    public long MappedBytes => _files.MappedBytes;

    public ReadOnlyMemory<float> Read(string name)
    {
        if (ReadQuantized(name) is { } packed)
            return Widen(name, packed.OutputCount * packed.InputCount, packed.Dequantize);
        SafetensorsReader file = _files.Find(name);
        TensorInfo tensor = file.Find(name);
        return tensor.Type switch
        {
            TensorType.Float32 => MappedFloats.Over(file.Elements<float>(name)),
            TensorType.Float16 => Widen(name, (int)tensor.ElementCount, floats => TensorPrimitives.ConvertToSingle(file.Elements<Half>(name), floats)),
            _ => Widen(name, (int)tensor.ElementCount, floats => Widen(file.Elements<BrainFloat16>(name), floats)),
        };
    }

    public QuantizedWeights? ReadQuantized(string name)
    {
        if (!IsQuantized(name, out string prefix))
            return null;
        if (!_packed.TryGetValue(name, out QuantizedWeights? weights))
            _packed.Add(name, weights = _load!(prefix));
        return weights;
    }

    public string FileOf(string name) => (_files.TryFind(name, out SafetensorsReader? file) || _files.TryFind($"{Prefix(name)}.qweight", out file))
        ? file.FileName : _files.FileName;

    public void Dispose() => _files.Dispose();

    private static Func<string, QuantizedWeights> LoaderOf(GptqCheckpoint layers) => prefix => layers.Load(prefix);

    private static Func<string, QuantizedWeights> LoaderOf(AwqCheckpoint layers) => prefix => layers.Load(prefix);

    private static string Prefix(string name) => name.EndsWith(WeightSuffix, StringComparison.Ordinal) ? name[..^WeightSuffix.Length] : name;

    private bool IsQuantized(string name, out string prefix)
    {
        prefix = Prefix(name);
        return _load is not null && _files.TryFind($"{prefix}.qweight", out _);
    }

    private float[] Widen(string name, int count, Action<Span<float>> widen)
    {
        if (_widened.TryGetValue(name, out WeakReference<float[]>? known) && known.TryGetTarget(out float[]? floats))
            return floats;
        floats = new float[count];
        widen(floats);
        _widened[name] = new WeakReference<float[]>(floats);
        return floats;
    }

    private static void Widen(ReadOnlySpan<BrainFloat16> values, Span<float> floats)
    {
        for (int i = 0; i < floats.Length; i++)
            floats[i] = values[i];
    }

    private void Check(string name, long[] dimensions)
    {
        if (dimensions.Length == 2 && IsQuantized(name, out string prefix))
            CheckQuantized(prefix, dimensions[0], dimensions[1]);
        else
            CheckFloats(name, dimensions);
    }

    private void CheckFloats(string name, long[] dimensions)
    {
        TensorInfo tensor = CheckShape(name, dimensions);
        if (tensor.Type is not (TensorType.Float32 or TensorType.Float16 or TensorType.BFloat16))
            throw Fault(name, $"elements of type {tensor.Type} are none of F32, F16 and BF16");
        if (tensor.ElementCount > Array.MaxLength)
            throw Fault(name, $"{tensor.ElementCount} elements exceed one array");
        RefuseBias(name[..^WeightSuffix.Length], dimensions[0]);
    }

    // What the headers say; the numbers are checked when the layer is packed.
    private void CheckQuantized(string prefix, long outputs, long inputs)
    {
        int word = 32 / _quantization!.Bits;
        long groups = _quantization.GroupSize == QuantizationFormat.WholeColumn ? 1 : inputs / _quantization.GroupSize;
        if (groups == 0 || inputs % groups != 0 || (_quantization.GroupSize != QuantizationFormat.WholeColumn && groups * _quantization.GroupSize != inputs))
            throw Fault(prefix, $"groups of {_quantization.GroupSize} do not divide {inputs} inputs");
        if (outputs * inputs > Array.MaxLength)
            throw Fault(prefix, $"{outputs} x {inputs} weights exceed one array");
        CheckShape($"{prefix}.scales", [groups, outputs]);
        CheckShape($"{prefix}.qzeros", [groups, outputs / word]);
        CheckShape($"{prefix}.qweight", _quantization.Method == QuantizationMethod.Awq ? [inputs, outputs / word] : [inputs / word, outputs]);
        RefuseBias(prefix, outputs);
    }

    private TensorInfo CheckShape(string name, long[] dimensions)
    {
        TensorInfo tensor = _files.Find(name).Find(name);
        return tensor.Shape.SequenceEqual(dimensions) ? tensor
            : throw Fault(name, $"[{string.Join(", ", tensor.Shape)}], but {HuggingFaceConfig.FileName} asks for [{string.Join(", ", dimensions)}]");
    }

    // AutoGPTQ writes a bias of zeros for layers that have none.
    private void RefuseBias(string prefix, long outputs)
    {
        string name = $"{prefix}.bias";
        if (!_files.TryFind(name, out _))
            return;
        CheckShape(name, [outputs]);
        if (Read(name).Span.ContainsAnyExcept(0f))
            throw Fault(name, "layers with a bias are not known");
    }

    private InvalidDataException Fault(string name, string reason) => new($"{_files.FileName}: {name}: {reason}");
}
