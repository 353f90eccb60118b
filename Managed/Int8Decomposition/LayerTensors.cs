namespace Kernels.Managed;

/// <summary>The tensors of a layer, in one file or in the shards of a checkpoint.</summary>
/// <param name="name">The file or the index, for messages.</param>
/// <param name="fileOf">The file that holds a tensor; null if there is none.</param>
internal sealed class LayerTensors(string name, Func<string, SafetensorsReader?> fileOf)
{
    public LayerTensor? TryFind(string tensor) => fileOf(tensor) is { } file ? new LayerTensor(file, file.Find(tensor)) : null;

    public LayerTensor Find(string tensor) => TryFind(tensor) ?? throw new TensorFileException(name, tensor, null, "there is no such tensor");
}

/// <summary>A tensor and its file.</summary>
internal readonly record struct LayerTensor(SafetensorsReader File, TensorInfo Info)
{
    public ReadOnlySpan<T> Vector<T>(int count) where T : unmanaged =>
        Info.ElementCount == count ? File.Elements<T>(Info.Name) : throw Fault($"has {Info.ElementCount} elements for {count} outputs");

    public TensorFileException Fault(string reason) => new(File.FileName, Info.Name, Info.Offset, reason);
}
