namespace Kernels.Perf;

/// <summary>Arrays of floating-point numbers out of safetensors and NumPy files; tensors of integers are left out.</summary>
internal static class TensorFiles
{
    public static IReadOnlyList<InputTensor> ReadSafetensors(string path)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        return [.. reader.Tensors.Select(tensor => tensor.Type switch
        {
            TensorType.Float16 => Tensor(path, tensor, reader.Elements<Half>(tensor.Name)),
            TensorType.BFloat16 => Tensor(path, tensor, reader.Elements<BrainFloat16>(tensor.Name)),
            TensorType.Float32 => Tensor(path, tensor, reader.Elements<float>(tensor.Name)),
            TensorType.Float64 => Tensor(path, tensor, reader.Elements<double>(tensor.Name)),
            _ => null,
        }).OfType<InputTensor>()];
    }

    public static InputTensor ReadNpy(string path)
    {
        using NpyReader reader = NpyReader.Open(path);
        return reader.Tensor.Type switch
        {
            TensorType.Float16 => Tensor(path, reader.Tensor, reader.Elements<Half>()),
            TensorType.Float32 => Tensor(path, reader.Tensor, reader.Elements<float>()),
            TensorType.Float64 => Tensor(path, reader.Tensor, reader.Elements<double>()),
            var other => throw new InputFormatException(path, $"elements of type {other} are not floating-point numbers"),
        };
    }

    private static InputTensor Tensor<T>(string path, TensorInfo tensor, ReadOnlySpan<T> elements) where T : unmanaged
    {
        if (elements.IsEmpty || tensor.Shape.Count == 0)
            throw new InputFormatException(path, $"{tensor.Name} is empty or a single number: [{string.Join(", ", tensor.Shape)}]");
        return new InputTensor(tensor.Name, [.. tensor.Shape.Select(dimension => (int)dimension)], elements.ToArray());
    }
}
