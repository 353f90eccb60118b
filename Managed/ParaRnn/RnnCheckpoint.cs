namespace Kernels;

/// <summary>Saves parameters to safetensors files and loads them.</summary>
public static class RnnCheckpoint
{
    /// <summary>Writes all parameters; the file appears under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters, with names unique among them.</param>
    public static void Save(string path, IEnumerable<RnnParameter> parameters)
    {
        RnnParameter[] all = [.. parameters];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, all.Select(parameter => new TensorInfo(parameter.Name, TensorType.Float32, [.. parameter.Shape])));
        foreach (RnnParameter parameter in all)
            writer.Write<float>(parameter.Name, parameter.Values);
        writer.Commit();
    }

    /// <summary>Reads all parameters; others in the file are left alone.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">The parameters; nothing is written to them unless the file has all of them in their shapes.</param>
    /// <exception cref="KernelFormatException">The file lacks one of them, or has it in another shape or type.</exception>
    public static void Load(string path, IEnumerable<RnnParameter> parameters)
    {
        RnnParameter[] all = [.. parameters];
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        foreach (RnnParameter parameter in all)
        {
            TensorInfo tensor = reader.Find(parameter.Name);
            if (!tensor.Shape.SequenceEqual(parameter.Shape) || tensor.Type != TensorType.Float32)
                throw new KernelFormatException(path, parameter.Name, tensor.Offset, $"{tensor.Type} [{string.Join(", ", tensor.Shape)}] where Float32 [{string.Join(", ", parameter.Shape)}] is needed");
        }
        foreach (RnnParameter parameter in all)
            reader.Elements<float>(parameter.Name).CopyTo(parameter.Values);
    }
}
