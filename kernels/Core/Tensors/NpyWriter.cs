using System.Runtime.InteropServices;
using Kernels.Core.Tensors;

namespace Kernels;

/// <summary>Writes NumPy arrays to .npy files.</summary>
public static class NpyWriter
{
    /// <summary>Writes one array. The file appears under its name when it is whole, in place of what stood there.</summary>
    /// <param name="path">Where it will stand.</param>
    /// <param name="elements">Row-major (C order).</param>
    /// <param name="shape">The dimensions, slowest first.</param>
    /// <typeparam name="T">A number type that NumPy has: integers, <see cref="Half"/>, <see cref="float"/>, <see cref="double"/>,
    /// <see cref="bool"/>.</typeparam>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    /// <exception cref="NotSupportedException">NumPy has no such type.</exception>
    public static void Write<T>(string path, ReadOnlySpan<T> elements, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        var tensor = new TensorInfo(path, TensorTypes.Of<T>(), shape);
        if (tensor.ElementCount != elements.Length)
            throw new ArgumentException($"{elements.Length} elements for {tensor.ShapeText}", nameof(elements));
        string type = TensorTypes.NumPyName(tensor.Type) ?? throw new NotSupportedException($"NumPy has no type for {typeof(T)}");
        byte[] header = NpyHeader.Create(type, shape);
        using var file = new AtomicFile(path);
        RandomAccess.Write(file.Handle, header, 0);
        RandomAccess.Write(file.Handle, MemoryMarshal.AsBytes(elements), header.Length);
        file.Commit();
    }
}
