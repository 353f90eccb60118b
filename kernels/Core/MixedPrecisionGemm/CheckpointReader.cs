namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>What checkpoints of quantised layers have in common: tensors by prefix, checked against each other, scales in one of three types.</summary>
internal sealed unsafe class CheckpointReader : IDisposable
{
    private readonly SafetensorsCheckpoint _files;
    private readonly bool _ownsFiles;

    // What the caller says stands in the place of what the files say.
    private readonly CheckpointDeclaration? _given;
    private readonly CheckpointDeclaration _beside;

    private CheckpointReader(SafetensorsCheckpoint files, bool ownsFiles, CheckpointDeclaration? given)
    {
        (_files, _ownsFiles, _given) = (files, ownsFiles, given);
        _beside = given ?? CheckpointWords.Beside(files.FileName);
    }

    public static CheckpointReader Open(string path, CheckpointDeclaration? given)
    {
        SafetensorsCheckpoint files = SafetensorsCheckpoint.Open(path);
        try
        {
            return new CheckpointReader(files, ownsFiles: true, given);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public static CheckpointReader Open(SafetensorsCheckpoint files, CheckpointDeclaration? given)
    {
        ArgumentNullException.ThrowIfNull(files);
        return new CheckpointReader(files, ownsFiles: false, given);
    }

    /// <summary>What is said of a layer: by the caller, or beside the checkpoint and in the file that holds the layer.</summary>
    public CheckpointDeclaration Said(CheckpointTensor weights) => _given ?? _beside.With(CheckpointWords.Within(_files.Find(weights.Info.Name)));

    public bool Has(string name) => _files.TryFind(name, out _);

    /// <summary>A matrix of 32-bit words or of scales, as it lies in the file.</summary>
    public CheckpointTensor Matrix(string name)
    {
        CheckpointTensor tensor = Tensor(name);
        return tensor.Info.Shape.Count == 2 && tensor.Info.Shape.All(size => size is > 0 and <= int.MaxValue)
            ? tensor
            : throw tensor.Fault($"{tensor.Info.ShapeText} is no matrix of a layer");
    }

    /// <summary>A matrix of 32-bit words.</summary>
    public CheckpointTensor Words(string name)
    {
        CheckpointTensor tensor = Matrix(name);
        return tensor.Info.Type is TensorType.Int32 or TensorType.UInt32 ? tensor
            : throw tensor.Fault($"elements of type {tensor.Info.Type} are not the 32-bit words of packed values");
    }

    /// <summary>A matrix of finite scales.</summary>
    public CheckpointTensor Scales(string name)
    {
        CheckpointTensor tensor = Matrix(name);
        float[] scales = Floats(tensor);
        int bad = Array.FindIndex(scales, scale => !float.IsFinite(scale));
        return bad < 0 ? tensor : throw tensor.Fault($"scale {bad} is {scales[bad]}");
    }

    /// <summary>A vector as floats; null if there is none.</summary>
    public float[]? Vector(string name)
    {
        if (!Has(name))
            return null;
        CheckpointTensor tensor = Tensor(name);
        return tensor.Info.Shape.Count == 1 ? Floats(tensor) : throw tensor.Fault($"{tensor.Info.ShapeText} is no vector");
    }

    /// <summary>The group of each input; null if the checkpoint has none.</summary>
    public CheckpointTensor? GroupIndices(string name, int inputCount)
    {
        if (!Has(name))
            return null;
        CheckpointTensor tensor = Tensor(name);
        return tensor.Info.Type == TensorType.Int32 && tensor.Info.HasShape(inputCount)
            ? tensor
            : throw tensor.Fault($"{tensor.Info.ShapeText} of {tensor.Info.Type} is no group of 32 bits for each of {inputCount} inputs");
    }

    /// <summary>Packs a layer; what the sizes break is said with the tensor's name.</summary>
    public static QuantizedWeights Pack<TLayout>(TLayout values, in DeclaredLayer layer, int inputCount, QuantizedType type, CheckpointTensor? groupIndices,
        in KernelOptions options)
        where TLayout : unmanaged, ICheckpointLayout
    {
        CheckpointTensor scales = layer.Scales;
        ScaleType scaleType = scales.Info.Type switch
        {
            TensorType.Float16 => ScaleType.Float16,
            TensorType.BFloat16 => ScaleType.BFloat16,
            _ =>
            ScaleType.Float32
        };
        int groupSize = layer.GroupSize(inputCount, groupIndices is not null);
        try
        {
            QuantizedWeightsLayout layout = QuantizedWeightsChecks.Layout(scales.Columns, inputCount, new(type, groupSize, scaleType));
            int[] order = groupIndices is { } indices ? Order(indices, layout) : [];
            layer.CheckActOrder(groupIndices, isScattered: order.Length > 0);
            fixed (int* inputOrder = order)
                return QuantizedWeights.From(layout, order, new CheckpointLayer<TLayout>(values, scales.Start, scaleType, inputOrder, layout.GroupSize),
                    options);
        }
        catch (ArgumentException unfit)
        {
            throw layer.Weights.Fault(unfit);
        }
    }

    private static int[] Order(CheckpointTensor groupIndices, in QuantizedWeightsLayout layout)
    {
        try
        {
            return InputsByGroup.Order(new ReadOnlySpan<int>(groupIndices.Start, layout.InputCount), layout, "g_idx");
        }
        catch (ArgumentException unfit)
        {
            throw groupIndices.Fault(unfit);
        }
    }

    public void Dispose()
    {
        if (_ownsFiles)
            _files.Dispose();
    }

    private CheckpointTensor Tensor(string name)
    {
        SafetensorsReader reader = _files.Find(name);
        TensorInfo info = reader.Find(name);
        return new CheckpointTensor(reader.FileName, info, reader.Address(info));
    }

    private float[] Floats(CheckpointTensor tensor)
    {
        string name = tensor.Info.Name;
        SafetensorsReader reader = _files.Find(name);
        return tensor.Info.Type switch
        {
            TensorType.Float16 => Array.ConvertAll(reader.Elements<Half>(name).ToArray(), value => (float)value),
            TensorType.BFloat16 => Array.ConvertAll(reader.Elements<BrainFloat16>(name).ToArray(), value => (float)value),
            TensorType.Float32 => reader.Elements<float>(name).ToArray(),
            _ => throw tensor.Fault($"elements of type {tensor.Info.Type} are none of F16, BF16 and F32"),
        };
    }
}

/// <summary>A tensor and where it lies.</summary>
internal readonly unsafe record struct CheckpointTensor(string File, TensorInfo Info, nint Address)
{
    public CheckpointTensor(string file, TensorInfo info, byte* start) : this(file, info, (nint)start)
    {
    }

    public byte* Start => (byte*)Address;

    public int Rows => (int)Info.Shape[0];

    public int Columns => (int)Info.Shape[1];

    public TensorFileException Fault(string reason, Exception? inner = null) => new(File, Info.Name, Info.Offset, reason, inner);

    /// <summary>What a check of arguments says, without the name of a parameter that the user of a file never passed.</summary>
    public TensorFileException Fault(ArgumentException unfit)
    {
        const string parameter = " (Parameter '";
        int end = unfit.Message.IndexOf(parameter, StringComparison.Ordinal);
        object? value = (unfit as ArgumentOutOfRangeException)?.ActualValue;
        return Fault((end < 0 ? unfit.Message : unfit.Message[..end]) + (value is null ? "" : $": {value}"), unfit);
    }

    /// <exception cref="TensorFileException">The shape is another one.</exception>
    public void Expect(long rows, long columns)
    {
        if (!Info.HasShape(rows, columns))
            throw Fault($"{Info.ShapeText}, but the other tensors of the layer ask for [{rows}, {columns}]");
    }
}
