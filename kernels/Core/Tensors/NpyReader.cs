using Kernels.Core.Tensors;

namespace Kernels;

/// <summary>A NumPy array in a .npy file, mapped: opening reads the header alone.</summary>
/// <remarks>
/// Format versions 1 to 3; little-endian numbers in C order, which alone are row-major. The rules of <see cref="SafetensorsReader"/> for mappings hold.
/// </remarks>
public sealed class NpyReader : IDisposable
{
    private readonly MappedFile _file;

    private NpyReader(MappedFile file, TensorInfo tensor)
    {
        _file = file;
        Tensor = tensor;
    }

    /// <summary>Type and shape; its name is the file's, without folder and extension.</summary>
    public TensorInfo Tensor { get; }

    /// <summary>Maps a file and reads its header.</summary>
    /// <exception cref="TensorFileException">It is not a sound file, holds other things than numbers, or is in Fortran order.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static NpyReader Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            // The largest header and what stands before it.
            int head = (int)Math.Min(file.Length, 2 * NpyHeader.LargestHeader);
            return new NpyReader(file, NpyHeader.Parse(path, file.Elements<byte>(0, head), file.Length));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The elements, row-major, over the mapping; valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="TensorFileException">They have another type, or are more than a span holds.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public ReadOnlySpan<T> Elements<T>() where T : unmanaged
    {
        if (!TensorTypes.IsReadAs<T>(Tensor.Type))
            throw new TensorFileException(_file.Name, null, Tensor.Offset, $"has elements of type {Tensor.Type}, not {typeof(T).Name}");
        if (Tensor.ElementCount > int.MaxValue)
            throw new TensorFileException(_file.Name, null, Tensor.Offset, $"{Tensor.ElementCount} elements exceed one span");
        return _file.Elements<T>(Tensor.Offset, (int)Tensor.ElementCount);
    }

    /// <summary>Ends the mapping; spans over it may not be used any more.</summary>
    public void Dispose() => _file.Dispose();
}
