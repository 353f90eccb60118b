using Kernels.Core.Int8Decomposition;

namespace Kernels.Managed;

/// <summary>
/// Layers in safetensors files, in the layout of bitsandbytes' Linear8bitLt: <c>weight</c> I8 [outputs, inputs], row-major; <c>SCB</c> F32 [outputs], the
/// largest magnitudes; <c>weight_format</c> U8, a scalar, 0 for rows; <c>bias</c>, if any, F32, F16 or BF16 [outputs]. Names are preceded by the layer's, as in
/// <c>model.layers.0.self_attn.q_proj.weight</c>.
/// </summary>
internal static class Int8LinearFile
{
    private const string Weight = "weight", Scales = "SCB", Format = "weight_format", Bias = "bias";

    // The only format in use; older ones were tiled for particular GPUs.
    private const byte RowFormat = 0;

    public static void Save(string path, IReadOnlyDictionary<string, Int8Linear> layers)
    {
        using var writer = SafetensorsWriter.Create(path, layers.SelectMany(layer => Tensors(layer.Key, layer.Value)));
        foreach ((string name, Int8Linear layer) in layers)
            Write(writer, name, layer);
        writer.Commit();
    }

    public static Int8Linear Load(LayerTensors tensors, string name, float threshold, OutlierScope outliers)
    {
        LayerTensor weight = tensors.Find(Join(name, Weight));
        TensorInfo tensor = weight.Info;
        if (tensor.Type != TensorType.Int8)
            throw weight.Fault($"has elements of type {tensor.Type}, not Int8: the layer is not quantised");
        if (tensor.Shape is not [>= 1 and <= int.MaxValue, >= 1 and <= Int8WeightsLayout.LargestInputCount])
            throw weight.Fault($"has shape [{string.Join(", ", tensor.Shape)}], not outputs and at most {Int8WeightsLayout.LargestInputCount} inputs");
        (int outputs, int inputs) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
        if (tensors.TryFind(Join(name, Format)) is { } format)
            CheckFormat(format);
        LayerTensor scales = tensors.Find(Join(name, Scales));
        ReadOnlySpan<float> absMax = scales.Vector<float>(outputs);
        foreach (float largest in absMax)
        {
            if (!(largest >= 0 && float.IsFinite(largest)))
                throw scales.Fault($"holds {largest}, which is no largest magnitude");
        }
        var weights = Int8Weights.FromQuantized(weight.File.Elements<sbyte>(tensor.Name), absMax, outputs, inputs);
        return new Int8Linear(weights, tensors.TryFind(Join(name, Bias)) is { } bias ? Widened(bias, outputs) : default, threshold, outliers);
    }

    private static string Join(string name, string part) => name.Length == 0 ? part : $"{name}.{part}";

    private static IEnumerable<TensorInfo> Tensors(string name, Int8Linear layer)
    {
        Int8Weights weights = layer.Weights;
        yield return new TensorInfo(Join(name, Weight), TensorType.Int8, weights.OutputCount, weights.InputCount);
        yield return new TensorInfo(Join(name, Scales), TensorType.Float32, weights.OutputCount);
        yield return new TensorInfo(Join(name, Format), TensorType.UInt8);
        if (!layer.Bias.IsEmpty)
            yield return new TensorInfo(Join(name, Bias), TensorType.Float32, weights.OutputCount);
    }

    private static void Write(SafetensorsWriter writer, string name, Int8Linear layer)
    {
        var values = new sbyte[checked(layer.Weights.OutputCount * layer.Weights.InputCount)];
        layer.Weights.CopyValuesTo(values);
        writer.Write<sbyte>(Join(name, Weight), values);
        var absMax = new float[layer.Weights.OutputCount];
        layer.Weights.CopyAbsMaxTo(absMax);
        writer.Write<float>(Join(name, Scales), absMax);
        writer.Write<byte>(Join(name, Format), [RowFormat]);
        if (!layer.Bias.IsEmpty)
            writer.Write(Join(name, Bias), layer.Bias);
    }

    // Files written before the format was stored lack it; they hold rows.
    private static void CheckFormat(LayerTensor format)
    {
        if (format.Info.Type != TensorType.UInt8 || format.Info.ElementCount != 1)
            throw format.Fault($"is {format.Info.ElementCount} elements of type {format.Info.Type}, not one UInt8");
        if (format.Vector<byte>(1)[0] is var kind and not RowFormat)
            throw format.Fault($"is {kind}; only {RowFormat}, rows, can be read");
    }

    private static float[] Widened(LayerTensor bias, int count)
    {
        var wide = new float[count];
        switch (bias.Info.Type)
        {
            case TensorType.Float16:
                for (int i = 0; i < count; i++)
                    wide[i] = (float)bias.Vector<Half>(count)[i];
                break;
            case TensorType.BFloat16:
                for (int i = 0; i < count; i++)
                    wide[i] = bias.Vector<BrainFloat16>(count)[i];
                break;
            default:
                bias.Vector<float>(count).CopyTo(wide);
                break;
        }
        return wide;
    }
}
