namespace Kernels.Nn;

/// <summary>Saves parameters, and what an optimiser remembers and how it is set, to safetensors files and loads them.</summary>
/// <remarks>
/// Parameters stand under their names in f32. An optimiser adds one tensor for each array that it remembers, such as <c>readout.weight.mean</c>, its steps as
/// the i64 <c>optimizer.steps</c>, and its settings as f64: <c>optimizer.rate</c>, and <c>optimizer.momentum</c> or <c>optimizer.weight_decay</c>.
/// </remarks>
public static class Checkpoint
{
    private const string Prefix = "optimizer.", StepsName = Prefix + "steps";

    /// <summary>Writes all parameters; the file appears under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters, with names unique among them; one that is listed twice is written once.</param>
    /// <param name="optimizer">An optimiser of these parameters, whose memory and settings are to be saved as well; null for none.</param>
    /// <param name="metadata">Strings to go with them; null for none.</param>
    /// <exception cref="ArgumentException">Two parameters have one name.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, IEnumerable<Parameter> parameters, Optimizer? optimizer = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        (TensorInfo Tensor, float[] Elements)[] all = [.. TensorsOf(parameters, optimizer)];
        OptimizerSetting[] settings = optimizer?.Settings ?? [];
        IEnumerable<TensorInfo> numbers = optimizer is null ? [] : [Steps, .. settings.Select(NumberOf)];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, all.Select(entry => entry.Tensor).Concat(numbers), metadata);
        foreach ((TensorInfo tensor, float[] elements) in all)
            writer.Write<float>(tensor.Name, elements);
        if (optimizer is not null)
            writer.Write<long>(StepsName, [optimizer.StepCount]);
        foreach (OptimizerSetting setting in settings)
            writer.Write<double>(Prefix + setting.Name, [setting.Get()]);
        writer.Commit();
    }

    /// <summary>
    /// Reads all parameters; others in the file are left alone. Memory does not grow with what the file says: it must have the shapes that are there.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters; nothing is written to them or to the optimiser unless the file has all that is needed in its shapes.</param>
    /// <param name="optimizer">
    /// An optimiser of these parameters that is to go on from where the saved one was, with its settings; null for none. Settings that the file lacks, as those
    /// written before there were any, stay as they are.
    /// </param>
    /// <exception cref="TensorFileException">The file lacks a tensor, has it in another shape or type, or a number that no optimiser has.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(string path, IEnumerable<Parameter> parameters, Optimizer? optimizer = null)
    {
        (TensorInfo Tensor, float[] Elements)[] all = [.. TensorsOf(parameters, optimizer)];
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        foreach ((TensorInfo tensor, _) in all)
            Check(reader, tensor);
        if (optimizer is not null)
            LoadNumbers(reader, optimizer);
        foreach ((TensorInfo tensor, float[] elements) in all)
            reader.Elements<float>(tensor.Name).CopyTo(elements);
    }

    private static void LoadNumbers(SafetensorsReader reader, Optimizer optimizer)
    {
        long steps = Read<long>(reader, Steps, count => count >= 0);
        (OptimizerSetting Setting, double Value)[] settings =
        [
            .. from setting in optimizer.Settings
               where reader.TryFind(Prefix + setting.Name, out _)
               select (setting, Read(reader, NumberOf(setting), setting.IsPossible)),
        ];
        optimizer.StepCount = steps;
        foreach ((OptimizerSetting setting, double value) in settings)
            setting.Set(value);
    }

    private static T Read<T>(SafetensorsReader reader, TensorInfo needed, Func<T, bool> isPossible) where T : unmanaged
    {
        Check(reader, needed);
        T value = reader.Elements<T>(needed.Name)[0];
        return isPossible(value)
            ? value
            : throw new TensorFileException(reader.FileName, needed.Name, reader.Find(needed.Name).Offset,
                FormattableString.Invariant($"{value} is impossible"));
    }

    private static TensorInfo Steps => new(StepsName, TensorType.Int64, 1);

    private static TensorInfo NumberOf(OptimizerSetting setting) => new(Prefix + setting.Name, TensorType.Float64, 1);

    private static IEnumerable<(TensorInfo Tensor, float[] Elements)> TensorsOf(IEnumerable<Parameter> parameters, Optimizer? optimizer) =>
        parameters.Distinct().Select(parameter => (parameter.Name, Parameter: parameter, Elements: parameter.Values))
            .Concat(optimizer?.Memory ?? [])
            .Select(entry => (new TensorInfo(entry.Name, TensorType.Float32, [.. entry.Parameter.Shape]), entry.Elements));

    private static void Check(SafetensorsReader reader, TensorInfo needed)
    {
        TensorInfo tensor = reader.Find(needed.Name);
        if (!tensor.HasShape([.. needed.Shape]) || tensor.Type != needed.Type)
            throw new TensorFileException(reader.FileName, needed.Name, tensor.Offset,
                $"{tensor.Type} {tensor.ShapeText} where {needed.Type} {needed.ShapeText} is needed");
    }
}
