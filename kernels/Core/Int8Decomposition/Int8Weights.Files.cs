using System.Globalization;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Tensors;

namespace Kernels;

// Packed weights of any kind describe themselves in one line: in a file, in the metadata under the tensor's name:
//   "kernels.int8_weights 1 <outputs> <inputs>"
public sealed unsafe partial class Int8Weights
{
    private const string FileFormat = "kernels.int8_weights", FileVersion = "1";
    private const int FieldCount = 4;

    /// <summary>Sizes in one line, which <see cref="Over(PackedMemory, string)"/> takes and files hold: what must be kept beside the packed bytes.</summary>
    public string Description => string.Create(CultureInfo.InvariantCulture, $"{FileFormat} {FileVersion} {OutputCount} {InputCount}");

    /// <summary>The bytes that a matrix takes when it is packed.</summary>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, 1 to <see cref="LargestInputCount"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Sizes are out of range.</exception>
    public static long PackedByteCount(int outputCount, int inputCount) => LayoutOf(outputCount, inputCount).ByteCount;

    /// <summary>Weights over bytes that were packed before, without a copy.</summary>
    /// <param name="memory">Exactly as many bytes as <see cref="PackedByteCount"/> says; the weights own it from now on. Its numbers are taken as they
    /// are.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, 1 to <see cref="LargestInputCount"/>. Above 131,071 the values are read once, to know whether one is -128.</param>
    /// <exception cref="ArgumentException">Sizes are out of range, or the memory has another size.</exception>
    /// <exception cref="ObjectDisposedException">The memory was disposed.</exception>
    public static Int8Weights Over(PackedMemory memory, int outputCount, int inputCount)
    {
        Int8WeightsLayout layout = LayoutOf(outputCount, inputCount);
        PackedMemory.CheckSize(memory, layout.ByteCount, nameof(memory));
        using PackedLease lease = memory.Acquire(memory);
        bool mayBeLeast = inputCount > Int8WeightsLayout.LargestFullRangeInputCount && new ReadOnlySpan<sbyte>(lease.Start, (int)layout.FactorOffset)
            .Contains(sbyte.MinValue);
        return new Int8Weights(layout, memory, mayBeLeast ? -sbyte.MinValue : sbyte.MaxValue);
    }

    /// <summary>Weights over bytes that were packed before, without a copy.</summary>
    /// <param name="memory">As many bytes as the description takes; the weights own it from now on. Its numbers are taken as they are.</param>
    /// <param name="description">Their <see cref="Description"/>.</param>
    /// <exception cref="ArgumentException">The description is none of packed weights of this version, or the memory has another size.</exception>
    /// <exception cref="ObjectDisposedException">The memory was disposed.</exception>
    public static Int8Weights Over(PackedMemory memory, string description)
    {
        ArgumentNullException.ThrowIfNull(description);
        return TryLayout(description, out Int8WeightsLayout layout)
            ? Over(memory, layout.OutputCount, layout.InputCount)
            : throw new ArgumentException($"no {FileFormat} of version {FileVersion}: '{description}'", nameof(description));
    }

    /// <summary>Saves the packed bytes, so that <see cref="Map"/> and <see cref="Load"/> bring them back without packing.</summary>
    /// <param name="path">The file, which replaces what stands there when it is whole.</param>
    /// <param name="name">The name of the matrix in it.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, string name) => Save(path, new Dictionary<string, Int8Weights> { [name] = this });

    /// <summary>Saves several matrices in one safetensors file.</summary>
    /// <param name="path">The file, which replaces what stands there when it is whole.</param>
    /// <param name="weights">The matrices by name.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Int8Weights> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        PackedTensor.Save(path, weights);
    }

    /// <summary>
    /// Maps a matrix that <see cref="Save(string, string)"/> wrote: nothing is read until it is used, and processes that map the same file share its memory.
    /// </summary>
    /// <param name="path">The file. It must not be shortened while it is mapped.</param>
    /// <param name="name">The name of the matrix in it.</param>
    /// <returns>Weights that end the mapping when they are disposed or become garbage.</returns>
    /// <exception cref="TensorFileException">The file is malformed, has no such matrix, or the matrix was written by another version or does not lie at whole
    /// cache lines.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Int8Weights Map(string path, string name)
    {
        using PackedTensor tensor = PackedTensor.Open(path, name);
        Int8WeightsLayout layout = LayoutOf(tensor);
        return Over(tensor.Map(layout.ByteCount), layout.OutputCount, layout.InputCount);
    }

    /// <summary>
    /// Reads a matrix that <see cref="Save(string, string)"/> wrote into pages of its own, huge ones where they are to be had: slower to begin with than
    /// <see cref="Map"/>, faster to use.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The name of the matrix in it.</param>
    /// <exception cref="TensorFileException">The file is malformed, has no such matrix, or the matrix was written by another version.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Int8Weights Load(string path, string name)
    {
        using PackedTensor tensor = PackedTensor.Open(path, name);
        Int8WeightsLayout layout = LayoutOf(tensor);
        return Over(tensor.Load(layout.ByteCount), layout.OutputCount, layout.InputCount);
    }

    private static Int8WeightsLayout LayoutOf(in PackedTensor tensor) => TryLayout(tensor.Description, out Int8WeightsLayout layout)
        ? layout
        : throw tensor.Fault($"no eight-bit weights of version {FileVersion}: they are described by '{tensor.Description}'");

    private static bool TryLayout(string description, out Int8WeightsLayout layout)
    {
        layout = default;
        if (description.Split(' ') is not { Length: FieldCount } fields || fields[0] != FileFormat || fields[1] != FileVersion
            || !TrySize(fields[2], out int outputs) || !TrySize(fields[3], out int inputs))
            return false;
        try
        {
            layout = LayoutOf(outputs, inputs);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool TrySize(string text, out int size) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size > 0;
}
