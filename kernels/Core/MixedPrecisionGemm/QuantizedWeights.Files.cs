using System.Globalization;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Core.Tensors;

namespace Kernels;

// Packed weights of any kind describe themselves in one line: in a file, in the metadata under the tensor's name:
//   "kernels.quantized_weights 1 U4 Float16 <outputs> <inputs> <group size> <Dense | TwoOfFour> <natural | by_group>"
public sealed unsafe partial class QuantizedWeights
{
    private const string FileFormat = "kernels.quantized_weights", FileVersion = "1", NaturalOrder = "natural", OrderByGroup = "by_group";
    private const string NoPermutation = "the order of inputs is no permutation";
    private const int FieldCount = 9;

    /// <summary>
    /// Format and sizes in one line, which <see cref="Over(PackedMemory, string)"/> takes and files hold: what must be kept beside the packed bytes.
    /// </summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{FileFormat} {FileVersion} {Format.Type} {Format.ScaleType} {OutputCount} {InputCount} {Format.GroupSize} {Format.Sparsity} " +
            $"{(HasInputOrder ? OrderByGroup : NaturalOrder)}");

    /// <summary>The bytes that a matrix takes when it is packed.</summary>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales.</param>
    /// <param name="hasInputOrder">Whether inputs are sorted by group (act-order).</param>
    /// <exception cref="ArgumentException">Sizes are out of range, or the group does not divide the inputs.</exception>
    public static long PackedByteCount(int outputCount, int inputCount, QuantizationFormat format, bool hasInputOrder = false) =>
        LayoutOf(outputCount, inputCount, format, hasInputOrder).ByteCount;

    /// <summary>Weights over bytes that were packed before, without a copy.</summary>
    /// <param name="memory">Exactly as many bytes as <see cref="PackedByteCount"/> says; the weights own it from now on. Its numbers are taken as they are; an
    /// order of inputs is checked.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales.</param>
    /// <param name="hasInputOrder">Whether inputs were sorted by group (act-order).</param>
    /// <exception cref="ArgumentException">Sizes are out of range, the memory has another size, or the order of inputs in it is no permutation.</exception>
    /// <exception cref="ObjectDisposedException">The memory was disposed.</exception>
    public static QuantizedWeights Over(PackedMemory memory, int outputCount, int inputCount, QuantizationFormat format, bool hasInputOrder = false) =>
        Over(memory, LayoutOf(outputCount, inputCount, format, hasInputOrder));

    /// <summary>Weights over bytes that were packed before, without a copy.</summary>
    /// <param name="memory">As many bytes as the description takes; the weights own it from now on. Its numbers are taken as they are; an order of inputs is
    /// checked.</param>
    /// <param name="description">Their <see cref="Description"/>.</param>
    /// <exception cref="ArgumentException">The description is none of packed weights of this version, the memory has another size, or the order of inputs in it
    /// is no permutation.</exception>
    /// <exception cref="ObjectDisposedException">The memory was disposed.</exception>
    public static QuantizedWeights Over(PackedMemory memory, string description)
    {
        ArgumentNullException.ThrowIfNull(description);
        return TryLayout(description, out QuantizedWeightsLayout layout) ? Over(memory, layout)
            : throw new ArgumentException($"no {FileFormat} of version {FileVersion}: '{description}'", nameof(description));
    }

    /// <summary>Saves the packed bytes, so that <see cref="Map"/> and <see cref="Load"/> bring them back without packing.</summary>
    /// <param name="path">The file, which replaces what stands there when it is whole.</param>
    /// <param name="name">The name of the matrix in it.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, string name) => Save(path, new Dictionary<string, QuantizedWeights> { [name] = this });

    /// <summary>Saves several matrices in one safetensors file.</summary>
    /// <param name="path">The file, which replaces what stands there when it is whole.</param>
    /// <param name="weights">The matrices by name.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, QuantizedWeights> weights)
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
    public static QuantizedWeights Map(string path, string name)
    {
        using PackedTensor tensor = PackedTensor.Open(path, name);
        QuantizedWeightsLayout layout = LayoutOf(tensor);
        return Checked(tensor, layout, tensor.Map(layout.ByteCount));
    }

    /// <summary>
    /// Reads a matrix that <see cref="Save(string, string)"/> wrote into pages of its own, huge ones where they are to be had: slower to begin with than
    /// <see cref="Map"/>, faster to use.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The name of the matrix in it.</param>
    /// <exception cref="TensorFileException">The file is malformed, has no such matrix, or the matrix was written by another version.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static QuantizedWeights Load(string path, string name)
    {
        using PackedTensor tensor = PackedTensor.Open(path, name);
        QuantizedWeightsLayout layout = LayoutOf(tensor);
        return Checked(tensor, layout, tensor.Load(layout.ByteCount));
    }

    private static QuantizedWeights Checked(in PackedTensor tensor, in QuantizedWeightsLayout layout, PackedMemory memory)
    {
        try
        {
            return Over(memory, layout);
        }
        catch (ArgumentException)
        {
            memory.Dispose();
            throw tensor.Fault(NoPermutation);
        }
    }

    private static QuantizedWeights Over(PackedMemory memory, in QuantizedWeightsLayout layout)
    {
        PackedMemory.CheckSize(memory, layout.ByteCount, nameof(memory));
        var weights = new QuantizedWeights(layout, memory);
        using PackedLease lease = memory.Acquire(memory);
        // What addresses memory is checked; numbers are taken as they are.
        return !layout.HasInputOrder || InputsByGroup.IsPermutation(new ReadOnlySpan<int>(weights.InputOrder, layout.InputCount))
            ? weights
            : throw new ArgumentException(NoPermutation, nameof(memory));
    }

    private static QuantizedWeightsLayout LayoutOf(int outputCount, int inputCount, QuantizationFormat format, bool hasInputOrder)
    {
        _ = QuantizedWeightsChecks.Layout(outputCount, inputCount, format);
        if (hasInputOrder && format.IsSparse)
            throw new ArgumentException("2:4 sparsity needs inputs in their own order", nameof(hasInputOrder));
        return new QuantizedWeightsLayout(outputCount, inputCount, format, hasInputOrder);
    }

    private static QuantizedWeightsLayout LayoutOf(in PackedTensor tensor) => TryLayout(tensor.Description, out QuantizedWeightsLayout layout)
        ? layout
        : throw tensor.Fault($"no packed weights of version {FileVersion}: they are described by '{tensor.Description}'");

    private static bool TryLayout(string description, out QuantizedWeightsLayout layout)
    {
        layout = default;
        if (description.Split(' ') is not { Length: FieldCount } fields || fields[0] != FileFormat || fields[1] != FileVersion
            || !Enum.TryParse(fields[2], out QuantizedType type) || !Enum.TryParse(fields[3], out ScaleType scaleType)
            || !TrySize(fields[4], out int outputs) || !TrySize(fields[5], out int inputs) || !TrySize(fields[6], out int group)
            || !Enum.TryParse(fields[7], out WeightSparsity sparsity) || (fields[8] != NaturalOrder && fields[8] != OrderByGroup))
            return false;
        try
        {
            layout = LayoutOf(outputs, inputs, new(type, group, scaleType, sparsity), hasInputOrder: fields[8] == OrderByGroup);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool TrySize(string text, out int size) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size > 0;
}
