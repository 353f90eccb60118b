using System.Globalization;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels;

// A file of packed weights is a safetensors file: each matrix is a tensor of bytes exactly as they stand in memory, and the metadata under its name describe it:
//   "kernels.quantized_weights 1 U4 Float16 <outputs> <inputs> <group size> <Dense | TwoOfFour> <natural | by_group>"
public sealed unsafe partial class QuantizedWeights
{
    private const string FileFormat = "kernels.quantized_weights", FileVersion = "1", NaturalOrder = "natural", OrderByGroup = "by_group";
    private const int FieldCount = 9;

    /// <summary>Saves the packed bytes, so that <see cref="Map"/> brings them back without packing.</summary>
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
        using SafetensorsWriter writer = SafetensorsWriter.Create(
            path,
            weights.Select(pair => new TensorInfo(pair.Key, TensorType.UInt8, pair.Value.ByteCount)),
            weights.ToDictionary(pair => pair.Key, pair => pair.Value.Description));
        foreach ((string name, QuantizedWeights matrix) in weights)
        {
            matrix.Acquire();
            try
            {
                writer.Write(name, new ReadOnlySpan<byte>(matrix.Packed, (int)matrix.ByteCount));
            }
            finally
            {
                matrix.Release();
            }
        }
        writer.Commit();
    }

    /// <summary>Maps a matrix that <see cref="Save(string, string)"/> wrote: nothing is read until it is used, and processes that map the same file share its memory.</summary>
    /// <param name="path">The file. It must not be shortened while it is mapped.</param>
    /// <param name="name">The name of the matrix in it.</param>
    /// <returns>Weights that end the mapping when they are disposed or become garbage.</returns>
    /// <exception cref="KernelFormatException">The file is malformed, has no such matrix, or the matrix was written by another version.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static QuantizedWeights Map(string path, string name)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        TensorInfo tensor = reader.Find(name);
        if (!reader.Metadata.TryGetValue(name, out string? description) || !TryLayout(description, out QuantizedWeightsLayout layout))
            throw new KernelFormatException(path, name, null, $"no packed weights of version {FileVersion}: they are described by '{description}'");
        if (tensor.Type != TensorType.UInt8 || tensor.ByteCount != layout.ByteCount)
            throw new KernelFormatException(path, name, tensor.Offset, $"{tensor.ByteCount} bytes, but '{description}' takes {layout.ByteCount}");
        var weights = new QuantizedWeights(layout, reader.Map(tensor));
        // What addresses memory is checked; numbers are taken as they are.
        if (layout.HasInputOrder && !InputsByGroup.IsPermutation(new ReadOnlySpan<int>(weights.InputOrder, layout.InputCount)))
        {
            weights.Dispose();
            throw new KernelFormatException(path, name, tensor.Offset + layout.InputOrderOffset, "the order of inputs is no permutation");
        }
        return weights;
    }

    private string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{FileFormat} {FileVersion} {Format.Type} {Format.ScaleType} {OutputCount} {InputCount} {Format.GroupSize} {Format.Sparsity} {(HasInputOrder ? OrderByGroup : NaturalOrder)}");

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
            QuantizationFormat format = new(type, group, scaleType, sparsity);
            _ = QuantizedWeightsChecks.Layout(outputs, inputs, format);
            layout = new QuantizedWeightsLayout(outputs, inputs, format, hasInputOrder: fields[8] == OrderByGroup);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool TrySize(string text, out int size) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size > 0;
}
