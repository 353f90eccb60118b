using System.IO.MemoryMappedFiles;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Kernels;

namespace TinyLlama;

/// <summary>
/// A checkpoint of llama2.c, mapped. The legacy form: seven i32 (dimension, hidden dimension, layers, heads, kv heads, vocabulary, negative if the classifier
/// is apart, context) and f32 tensors. Versions 1 and 2 begin with "ak42" and pad their header to 256 bytes; version 2 stores matrices as i8 with one f32 scale
/// for each group of values, counted over the whole matrix.
/// </summary>
internal sealed unsafe class Llama2CheckpointFile : ICheckpoint
{
    private const uint Magic = 0x616b3432;
    private const int LegacyHeaderBytes = 7 * sizeof(int), HeaderBytes = 256, SizesOffset = 2 * sizeof(int), SharedOffset = SizesOffset + LegacyHeaderBytes,
        GroupOffset = SharedOffset + 1;

    private readonly record struct Stored(long Offset, int Rows, int Columns, int GroupSize)
    {
        public int Count => Rows * Columns;
    }

    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly Dictionary<string, Stored> _tensors = [];
    private readonly Dictionary<string, QuantizedWeights> _packed = [];
    private long _next;

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="longestContext">Cuts the context of models that allow more than there is memory for.</param>
    public Llama2CheckpointFile(string path, int longestContext = int.MaxValue)
    {
        _path = path;
        MappedBytes = new FileInfo(path).Length;
        if (MappedBytes < LegacyHeaderBytes)
            throw Fault("the file is too short for a header");
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, MappedBytes, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        try
        {
            Shape = ReadHeader(longestContext);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public LlamaShape Shape { get; }

    public long MappedBytes { get; }

    public ReadOnlyMemory<float> Read(string name)
    {
        Stored tensor = Find(name);
        return tensor.GroupSize == 0 ? new MappedFloats((float*)(_start + tensor.Offset), tensor.Count).Memory : Dequantize(tensor);
    }

    public QuantizedWeights? ReadQuantized(string name)
    {
        Stored tensor = Find(name);
        // Groups run over all values of a matrix; those that run over ends of rows are read, but not kept.
        if (tensor.GroupSize == 0 || tensor.Columns % tensor.GroupSize != 0)
            return null;
        if (!_packed.TryGetValue(name, out QuantizedWeights? weights))
            _packed.Add(name, weights = Pack(name, tensor));
        return weights;
    }

    public string FileOf(string name) => _path;

    private Stored Find(string name) => _tensors.TryGetValue(name, out Stored tensor) ? tensor : throw Fault($"there is no {name}");

    private ReadOnlySpan<sbyte> Values(Stored tensor) => new(_start + tensor.Offset, tensor.Count);

    private ReadOnlySpan<float> Scales(Stored tensor) =>
        MemoryMarshal.Cast<byte, float>(new ReadOnlySpan<byte>(_start + tensor.Offset + tensor.Count, tensor.Count / tensor.GroupSize * sizeof(float)));

    private float[] Dequantize(Stored tensor)
    {
        ReadOnlySpan<sbyte> values = Values(tensor);
        ReadOnlySpan<float> scales = Scales(tensor);
        var floats = new float[tensor.Count];
        for (int i = 0; i < floats.Length; i++)
            floats[i] = values[i] * scales[i / tensor.GroupSize];
        return floats;
    }

    private QuantizedWeights Pack(string name, Stored tensor)
    {
        // Signed bytes around 0 are unsigned ones around 128.
        var values = new byte[tensor.Count];
        TensorPrimitives.Xor(MemoryMarshal.AsBytes(Values(tensor)), (byte)0x80, values);
        try
        {
            return QuantizedWeights.FromQuantized(values, Scales(tensor), [], tensor.Rows, tensor.Columns,
                new(QuantizedType.U8, tensor.GroupSize, ScaleType.Float32));
        }
        catch (ArgumentException unfit)
        {
            throw Fault($"{name}: {Faults.OneLine(unfit)}");
        }
    }

    private LlamaShape ReadHeader(int longestContext)
    {
        if (ForeignFile.Describe(new ReadOnlySpan<byte>(_start, (int)Math.Min(MappedBytes, HeaderBytes))) is { } other)
            throw Fault($"{other}; a checkpoint of llama2.c, or a folder of Hugging Face is needed");
        bool isLegacy = Int(0) != unchecked((int)Magic);
        if (!isLegacy && (MappedBytes < HeaderBytes || Int(1) is not (1 or 2)))
            throw Fault($"version {(MappedBytes < HeaderBytes ? 0 : Int(1))} of the format is neither 1 nor 2, or the header is cut off");
        int first = isLegacy ? 0 : SizesOffset / sizeof(int);
        int vocabulary = Int(first + 5), context = Int(first + 6);
        var shape = new LlamaShape(
            Int(first), Int(first + 1), Int(first + 2), Int(first + 3), Int(first + 4), vocabulary == int.MinValue ? 0 : Math.Abs(vocabulary),
            Math.Min(context, longestContext))
        {
            RotaryPairs = RotaryPairs.Neighbours,
            SharesClassifier = isLegacy ? vocabulary > 0 : _start[SharedOffset] != 0,
        };
        if (shape.FindFault() is { } fault)
            throw Fault(fault);
        _next = isLegacy ? LegacyHeaderBytes : HeaderBytes;
        if (isLegacy)
            LayOutLegacy(shape, context);
        else
            LayOut(shape, Int(1) == 1 ? 0 : MemoryMarshal.Read<int>(new ReadOnlySpan<byte>(_start + GroupOffset, sizeof(int))), isQuantized: Int(1) == 2);
        if (_next != MappedBytes)
            throw Fault($"these sizes take {_next} bytes, but the file has {MappedBytes}");
        return shape;
    }

    private void LayOutLegacy(LlamaShape shape, int context)
    {
        Add(TensorNames.Embedding, shape.VocabularySize, shape.Dimension);
        AddNorms(shape, TensorNames.AttentionNorm);
        foreach (string name in (string[])["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"])
            AddMatrices(shape, name);
        AddNorms(shape, TensorNames.FeedForwardNorm);
        foreach (string name in (string[])["mlp.gate_proj", "mlp.down_proj", "mlp.up_proj"])
            AddMatrices(shape, name);
        Add(TensorNames.FinalNorm, 1, shape.Dimension);
        // Tables of cosines and sines, which everybody computes anew: context x half a head, twice.
        Skip((Int128)context * shape.HeadDimension * sizeof(float));
        if (!shape.SharesClassifier)
            Add(TensorNames.Classifier, shape.VocabularySize, shape.Dimension);
    }

    private void LayOut(LlamaShape shape, int groupSize, bool isQuantized)
    {
        if (isQuantized && groupSize <= 0)
            throw Fault($"groups of {groupSize} are none");
        AddNorms(shape, TensorNames.AttentionNorm);
        AddNorms(shape, TensorNames.FeedForwardNorm);
        Add(TensorNames.FinalNorm, 1, shape.Dimension);
        Add(TensorNames.Embedding, shape.VocabularySize, shape.Dimension, groupSize);
        foreach ((string name, _, _) in shape.LayerMatrices)
            AddMatrices(shape, name, groupSize);
        if (!shape.SharesClassifier)
            Add(TensorNames.Classifier, shape.VocabularySize, shape.Dimension, groupSize);
    }

    private void AddNorms(LlamaShape shape, string part)
    {
        for (int layer = 0; layer < shape.LayerCount; layer++)
            Add(TensorNames.Layer(layer, part), 1, shape.Dimension);
    }

    private void AddMatrices(LlamaShape shape, string part, int groupSize = 0)
    {
        (_, int rows, int columns) = shape.LayerMatrices.Single(matrix => matrix.Name == part);
        for (int layer = 0; layer < shape.LayerCount; layer++)
            Add(TensorNames.Layer(layer, part), rows, columns, groupSize);
    }

    private void Add(string name, int rows, int columns, int groupSize = 0)
    {
        long count = (long)rows * columns;
        if (count > int.MaxValue)
            throw Fault($"{name} of {rows} x {columns} exceeds one span");
        if (groupSize != 0 && count % groupSize != 0)
            throw Fault($"groups of {groupSize} do not divide the {count} values of {name}");
        long offset = _next;
        Skip(groupSize == 0 ? count * sizeof(float) : count + count / groupSize * sizeof(float));
        _tensors.Add(name, new Stored(offset, rows, columns, groupSize));
    }

    private void Skip(Int128 bytes)
    {
        if (bytes > MappedBytes - _next)
            throw Fault($"the file ends within the tensors, at byte {MappedBytes}");
        _next += (long)bytes;
    }

    private int Int(int index) => ((int*)_start)[index];

    private InvalidDataException Fault(string reason) => new($"{_path}: {reason}");

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
