using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Kernels.Core.Tensors;

namespace Kernels;

/// <summary>A safetensors file, mapped: opening reads the header alone, and elements are spans over the mapping, without a copy.</summary>
/// <remarks>
/// Everything that the header says is checked when the file is opened: JSON, types, shapes, offsets, that tensors neither overlap nor leave holes, and that
/// they fill the file. Any number of threads may read at a time. A file must not be shortened by others while it is mapped: reading what is gone ends the
/// process.
/// </remarks>
public sealed class SafetensorsReader : IDisposable
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorInfo> _byName;

    private SafetensorsReader(MappedFile file, SafetensorsHeader header)
    {
        _file = file;
        _byName = header.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        Tensors = header.Tensors;
        Metadata = header.Metadata;
    }

    /// <summary>The file as it was opened.</summary>
    public string FileName => _file.Name;

    /// <summary>The bytes of the file, all of which are mapped.</summary>
    public long ByteCount => _file.Length;

    /// <summary>The tensors, in the order in which their elements stand in the file.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The strings under __metadata__.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps a file and reads its header.</summary>
    /// <exception cref="TensorFileException">It is not a sound safetensors file; the message says where.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SafetensorsReader Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            int head = (int)Math.Min(file.Length, SafetensorsHeader.Start + SafetensorsHeader.LargestHeader);
            return new SafetensorsReader(file, SafetensorsHeader.Parse(path, file.Elements<byte>(0, head), file.Length));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Looks a tensor up by name.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out TensorInfo? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>Looks a tensor up by name.</summary>
    /// <exception cref="TensorFileException">There is none.</exception>
    public TensorInfo Find(string name) => TryFind(name, out TensorInfo? tensor) ? tensor
        : throw new TensorFileException(FileName, name, null, "there is no such tensor");

    /// <summary>All elements of a tensor, row-major, over the mapping.</summary>
    /// <param name="name">The tensor.</param>
    /// <typeparam name="T">The element type; <see cref="byte"/> also stands for types of one byte and for those that .NET lacks, whose bytes are then
    /// counted.</typeparam>
    /// <returns>A span that is valid until <see cref="Dispose"/>. Elements are aligned if the writer aligned them, which the format only recommends.</returns>
    /// <exception cref="TensorFileException">There is no such tensor, it has another type, or more elements than a span holds.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public ReadOnlySpan<T> Elements<T>(string name) where T : unmanaged
    {
        TensorInfo tensor = Find(name);
        long count = tensor.CountOf<T>();
        if (count > int.MaxValue)
            throw new TensorFileException(FileName, name, null, $"{count} elements exceed one span: ask for a part");
        return Elements<T>(name, 0, (int)count);
    }

    /// <summary>Some elements of a tensor, over the mapping.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">The first element, counted row-major.</param>
    /// <param name="count">The number of elements.</param>
    /// <typeparam name="T">As in <see cref="Elements{T}(string)"/>.</typeparam>
    /// <exception cref="ArgumentOutOfRangeException">The tensor ends before.</exception>
    /// <exception cref="TensorFileException">There is no such tensor, or it has another type.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public ReadOnlySpan<T> Elements<T>(string name, long first, int count) where T : unmanaged
    {
        TensorInfo tensor = Find(name);
        if (!TensorTypes.IsReadAs<T>(tensor.Type))
            throw new TensorFileException(FileName, name, tensor.Offset,
                $"has elements of type {TensorTypes.SafetensorsName(tensor.Type)}, not {typeof(T).Name}");
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (first < 0 || first > tensor.CountOf<T>() - count)
            throw new ArgumentOutOfRangeException(nameof(first), first, $"{count} elements from there are not within the {tensor.CountOf<T>()} of {name}");
        return _file.Elements<T>(tensor.Offset + first * Unsafe.SizeOf<T>(), count);
    }

    /// <summary>Where the elements of a tensor lie until <see cref="Dispose"/>.</summary>
    internal unsafe byte* Address(TensorInfo tensor) => _file.Start + (tensor.Offset - _file.Offset);

    /// <summary>A mapping of one tensor, which stays when the reader is closed.</summary>
    internal MappedFile Map(TensorInfo tensor) => _file.Part(tensor.Offset, tensor.ByteCount);

    /// <summary>Ends the mapping; spans over it may not be used any more.</summary>
    public void Dispose() => _file.Dispose();
}
