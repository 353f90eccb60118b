using Kernels;

namespace TinyLlama;

internal enum QuantizationMethod
{
    Gptq,
    Awq,
}

/// <summary>
/// How the matrices of a checkpoint are quantised: config.json's quantization_config, or the file that AutoGPTQ or AutoAWQ writes beside it. The library's
/// readers hold each layer against the same words, and against those that are not named here, such as sym.
/// </summary>
/// <param name="Method">Whose tensors they are.</param>
/// <param name="Bits">Bits of a weight.</param>
/// <param name="GroupSize">Inputs that share a scale; <see cref="QuantizationFormat.WholeColumn"/> for all of them.</param>
internal sealed record QuantizationConfig(QuantizationMethod Method, int Bits, int GroupSize)
{
    private const string GptqName = "gptq", AwqName = "awq", AutoRoundName = "auto-round";

    /// <summary>Null if the checkpoint is not quantised.</summary>
    public static QuantizationConfig? Find(string folder, JsonValue config)
    {
        if (config.Find("quantization_config") is { } inner)
            return Read(inner, inner["quant_method"].Text);
        foreach ((string file, string method) in (ReadOnlySpan<(string, string)>)[("quantize_config.json", GptqName), ("quant_config.json", AwqName)])
        {
            if (File.Exists(Path.Combine(folder, file)))
            {
                JsonValue beside = JsonValue.Read(Path.Combine(folder, file));
                return Read(beside, beside.Find("quant_method")?.Text ?? method);
            }
        }
        return null;
    }

    private static QuantizationConfig Read(JsonValue config, string method)
    {
        // auto-round keeps its layers in the tensors of others.
        if (method == AutoRoundName)
            method = config.Find("packing_format")?.Text == "auto_round:auto_awq" ? AwqName : GptqName;
        if (method is not (GptqName or AwqName))
            throw config.Fault($"quantisation by '{method}' is not known, only by '{GptqName}', '{AwqName}' and '{AutoRoundName}'");
        foreach (string own in (string[])["dynamic", "extra_config"])
        {
            if (config.Find(own) is { IsEmpty: false } settings)
                throw settings.Fault("layers with bits or groups of their own are not known");
        }
        JsonValue bits = config.Find("bits") ?? config["w_bit"], group = config.Find("group_size") ?? config["q_group_size"];
        if (group.Integer is not (-1 or > 0))
            throw group.Fault($"groups of {group.Integer} are not known");
        int groupSize = group.Integer == -1 ? QuantizationFormat.WholeColumn : group.Integer;
        return method == AwqName ? ReadAwq(config, bits, groupSize) : ReadGptq(config, bits, groupSize);
    }

    private static QuantizationConfig ReadGptq(JsonValue config, JsonValue bits, int groupSize)
    {
        if (bits.Integer is not (4 or 8))
            throw bits.Fault($"GPTQ with {bits.Integer} bits is not known, only with 4 and 8");
        string format = (config.Find("checkpoint_format") ?? config.Find("format"))?.Text ?? GptqName;
        if (format is not (GptqName or "gptq_v2"))
            throw config.Fault($"checkpoint_format '{format}' is not known, only 'gptq' and 'gptq_v2'");
        return new QuantizationConfig(QuantizationMethod.Gptq, bits.Integer, groupSize);
    }

    private static QuantizationConfig ReadAwq(JsonValue config, JsonValue bits, int groupSize)
    {
        if (bits.Integer != 4)
            throw bits.Fault($"AWQ with {bits.Integer} bits is not known, only with 4");
        if (config.Find("version") is { } version && !version.Text.Equals("gemm", StringComparison.OrdinalIgnoreCase))
            throw version.Fault($"AWQ's layout '{version.Text}' is not known, only 'gemm'");
        if (config.Find("zero_point") is { Flag: false } symmetric)
            throw symmetric.Fault("AWQ without zero points is not known");
        return new QuantizationConfig(QuantizationMethod.Awq, bits.Integer, groupSize);
    }
}
