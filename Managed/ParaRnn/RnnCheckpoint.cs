namespace Kernels;

/// <summary>Saves parameters, and what an optimiser remembers of them, to safetensors files and loads them.</summary>
/// <remarks>
/// Parameters stand under their names in f32; an optimiser adds one tensor for each array that it remembers, such as <c>readout.weight.mean</c>, and its steps as the i64 <c>optimizer.steps</c>.
/// </remarks>
public static class RnnCheckpoint
{
    private const string StepsName = "optimizer.steps";

    /// <summary>Writes all parameters; the file appears under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters, with names unique among them.</param>
    /// <param name="optimizer">An optimiser of these parameters, whose memory is to be saved as well; null for none.</param>
    /// <param name="metadata">Strings to go with them; null for none.</param>
    public static void Save(string path, IEnumerable<RnnParameter> parameters, RnnOptimizer? optimizer = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        (TensorInfo Tensor, float[] Elements)[] all = [.. TensorsOf(parameters, optimizer)];
        IEnumerable<TensorInfo> steps = optimizer is null ? [] : [Steps];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, all.Select(entry => entry.Tensor).Concat(steps), metadata);
        foreach ((TensorInfo tensor, float[] elements) in all)
            writer.Write<float>(tensor.Name, elements);
        if (optimizer is not null)
            writer.Write<long>(StepsName, [optimizer.StepCount]);
        writer.Commit();
    }

    /// <summary>Reads all parameters; others in the file are left alone.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters; nothing is written to them or to the optimiser unless the file has all that is needed in its shapes.</param>
    /// <param name="optimizer">An optimiser of these parameters that is to go on from where the saved one was; null for none.</param>
    /// <exception cref="KernelFormatException">The file lacks a tensor, or has it in another shape or type.</exception>
    public static void Load(string path, IEnumerable<RnnParameter> parameters, RnnOptimizer? optimizer = null)
    {
        (TensorInfo Tensor, float[] Elements)[] all = [.. TensorsOf(parameters, optimizer)];
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        foreach ((TensorInfo tensor, _) in all)
            Check(reader, tensor);
        if (optimizer is not null)
        {
            Check(reader, Steps);
            long steps = reader.Elements<long>(StepsName)[0];
            if (steps < 0)
                throw new KernelFormatException(path, StepsName, reader.Find(StepsName).Offset, $"{steps} steps");
            optimizer.StepCount = steps;
        }
        foreach ((TensorInfo tensor, float[] elements) in all)
            reader.Elements<float>(tensor.Name).CopyTo(elements);
    }

    private static TensorInfo Steps => new(StepsName, TensorType.Int64, 1);

    private static IEnumerable<(TensorInfo Tensor, float[] Elements)> TensorsOf(IEnumerable<RnnParameter> parameters, RnnOptimizer? optimizer) =>
        parameters.Select(parameter => (parameter.Name, Parameter: parameter, Elements: parameter.Values))
            .Concat(optimizer?.Memory ?? [])
            .Select(entry => (new TensorInfo(entry.Name, TensorType.Float32, [.. entry.Parameter.Shape]), entry.Elements));

    private static void Check(SafetensorsReader reader, TensorInfo needed)
    {
        TensorInfo tensor = reader.Find(needed.Name);
        if (!tensor.HasShape([.. needed.Shape]) || tensor.Type != needed.Type)
            throw new KernelFormatException(reader.FileName, needed.Name, tensor.Offset, $"{tensor.Type} {tensor.ShapeText} where {needed.Type} {needed.ShapeText} is needed");
    }
}
