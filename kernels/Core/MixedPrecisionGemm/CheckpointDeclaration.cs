using Kernels.Core.MixedPrecisionGemm;

namespace Kernels;

/// <summary>
/// What a checkpoint says of its quantised layers, apart from their tensors; null where nothing is said. Readers compare it with the tensors and refuse what
/// contradicts it.
/// </summary>
public sealed record CheckpointDeclaration
{
    /// <summary>Says nothing.</summary>
    public CheckpointDeclaration()
    {
    }

    /// <summary>Whose tensors they are: gptq, awq or marlin, in lower case as in quant_method.</summary>
    public string? Method { get; init; }

    /// <summary>How the tensors hold them, in lower case as in checkpoint_format, format or version: gptq, gptq_v2, gemm, marlin.</summary>
    public string? Format { get; init; }

    /// <summary>Bits of a weight.</summary>
    public int? Bits { get; init; }

    /// <summary>Inputs that share a scale; <see cref="QuantizationFormat.WholeColumn"/> for all of them.</summary>
    public int? GroupSize { get; init; }

    /// <summary>Whether every zero point is half of the range (sym; not zero_point).</summary>
    public bool? IsSymmetric { get; init; }

    /// <summary>Whether the inputs of a group may lie scattered, so that g_idx is needed (desc_act).</summary>
    public bool? HasActOrder { get; init; }

    /// <summary>Where it was said, for messages.</summary>
    internal string Source { get; init; } = "the caller";

    /// <summary>
    /// Reads what is said beside a checkpoint: quantization_config in config.json, quantize_config.json, quant_config.json, and, for a single file, its
    /// __metadata__.
    /// </summary>
    /// <param name="path">A safetensors file, a model.safetensors.index.json, or a folder with either.</param>
    /// <returns>What they say together; a declaration that says nothing where none of them is there.</returns>
    /// <remarks>
    /// The names are those of AutoGPTQ, GPTQModel, AutoAWQ and auto-round. Where single layers have settings of their own (dynamic, extra_config), bits,
    /// groups, symmetry and order count as unsaid.
    /// </remarks>
    /// <exception cref="TensorFileException">A file is malformed, or two of them, or two names in one of them, contradict each other.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static CheckpointDeclaration Read(string path)
    {
        using SafetensorsCheckpoint files = SafetensorsCheckpoint.Open(path);
        CheckpointDeclaration beside = CheckpointWords.Beside(files.FileName);
        return files.Single is { } file ? beside.With(CheckpointWords.Within(file)) : beside;
    }

    /// <summary>What two sources say together.</summary>
    /// <exception cref="TensorFileException">They contradict each other.</exception>
    internal CheckpointDeclaration With(CheckpointDeclaration other) => other.SaysNothing ? this : SaysNothing ? other : new()
    {
        Method = Agreed(Method, other.Method, "method", other),
        Format = Agreed(Format, other.Format, "format", other),
        Bits = Agreed(Bits, other.Bits, "bits", other),
        GroupSize = Agreed(GroupSize, other.GroupSize, "group size", other),
        IsSymmetric = Agreed(IsSymmetric, other.IsSymmetric, "symmetry", other),
        HasActOrder = Agreed(HasActOrder, other.HasActOrder, "act-order", other),
        Source = $"{Source} and {other.Source}",
    };

    private bool SaysNothing => this with { Source = "" } == new CheckpointDeclaration { Source = "" };

    private T? Agreed<T>(T? mine, T? others, string what, CheckpointDeclaration other)
    {
        if (mine is not null && others is not null && !mine.Equals(others))
            throw new TensorFileException(other.Source, null, null, $"the {what} is {others}, but {Source} says {mine}");
        return mine is null ? others : mine;
    }
}
