namespace Kernels.Tests;

/// <summary>A quantised layer, and its tensors in checkpoints of GPTQ and AWQ, made by the definition of each format.</summary>
/// <param name="Prefix">Its name.</param>
/// <param name="Outputs">A multiple of 8.</param>
/// <param name="Inputs">A multiple of 8 and of the group size.</param>
/// <param name="Format">Its format.</param>
/// <param name="Values">q, [outputs, inputs].</param>
/// <param name="Scales">[outputs, groups].</param>
/// <param name="ZeroPoints">[outputs, groups], or empty.</param>
/// <param name="GroupIndices">The group of each input.</param>
internal sealed record StoredLayer(string Prefix, int Outputs, int Inputs, QuantizationFormat Format, byte[] Values, float[] Scales, byte[] ZeroPoints,
    int[] GroupIndices)
{
    public int Groups => Inputs / Format.GroupSizeOf(Inputs);

    public int Bits => Format.IsEightBit ? 8 : 4;

    /// <summary>Random values, with inputs of a group side by side or scattered.</summary>
    public static StoredLayer Random(string prefix, int outputs, int inputs, QuantizationFormat format, bool isScattered, int seed)
    {
        (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(outputs, inputs, format, seed);
        int[] groups = [.. Enumerable.Range(0, inputs).Select(input => (isScattered ? input * 7 % inputs : input) / format.GroupSizeOf(inputs))];
        return new StoredLayer(prefix, outputs, inputs, format, values, scales, zeros, groups);
    }

    public QuantizedWeights Pack() => QuantizedWeights.FromQuantized(Values, Scales, ZeroPoints, Outputs, Inputs, Format, GroupIndices);

    public int Zero(int output, int group) => Format.HasZeroPoints ? ZeroPoints[output * Groups + group] : Format.SymmetricZero;

    /// <summary>By the ends of their names: weights, scales, a bias, and zero points if there are any.</summary>
    public Dictionary<string, (TensorInfo Info, Array Elements)> Tensors(int[] weights, long[] weightShape, int[]? zeroPoints, string weightName,
        string scaleName)
    {
        Half[] scales = [.. Enumerable.Range(0, Groups * Outputs).Select(i => (Half)Scales[i % Outputs * Groups + i / Outputs])];
        var tensors = new Dictionary<string, (TensorInfo, Array)>
        {
            [weightName] = (new($"{Prefix}.{weightName}", TensorType.Int32, weightShape), weights),
            [scaleName] = (new($"{Prefix}.{scaleName}", TensorType.Float16, Groups, Outputs), scales),
            ["bias"] = (new($"{Prefix}.bias", TensorType.Float32, Outputs), MixedPrecisionGemmCases.Normal(Outputs, 2)),
        };
        if (zeroPoints is not null)
            tensors["qzeros"] = (new($"{Prefix}.qzeros", TensorType.Int32, Groups, zeroPoints.Length / Groups), zeroPoints);
        return tensors;
    }

    public Dictionary<string, (TensorInfo Info, Array Elements)> Gptq(GptqVersion version)
    {
        int perWord = 32 / Bits;
        var weights = new int[Inputs / perWord * Outputs];
        for (int i = 0; i < Inputs * Outputs; i++)
            weights[i / Outputs / perWord * Outputs + i % Outputs] |= Values[i % Outputs * Inputs + i / Outputs] << (i / Outputs % perWord * Bits);
        int[] zeros = [.. Enumerable.Range(0, Groups).SelectMany(group => PackRow(
            Enumerable.Range(0, Outputs).Select(output => Zero(output, group) - (version == GptqVersion.V1 ? 1 : 0)), Bits))];
        Dictionary<string, (TensorInfo, Array)> tensors = Tensors(weights, [Inputs / perWord, Outputs], zeros, "qweight", "scales");
        tensors["g_idx"] = (new($"{Prefix}.g_idx", TensorType.Int32, Inputs), GroupIndices);
        return tensors;
    }

    public Dictionary<string, (TensorInfo Info, Array Elements)> Awq()
    {
        int[] order = [0, 2, 4, 6, 1, 3, 5, 7];
        int[] weights = [.. Enumerable.Range(0, Inputs).SelectMany(input => PackRow(
            Enumerable.Range(0, Outputs).Select(i => (int)Values[(i / 8 * 8 + order[i % 8]) * Inputs + input]), 4))];
        int[] zeros = [.. Enumerable.Range(0, Groups)
            .SelectMany(group => PackRow(Enumerable.Range(0, Outputs).Select(i => Zero(i / 8 * 8 + order[i % 8], group)), 4))];
        return Tensors(weights, [Inputs, Outputs / 8], zeros, "qweight", "scales");
    }

    /// <summary>Writes a safetensors file.</summary>
    public static void Write(string path, IEnumerable<(TensorInfo Info, Array Elements)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors.Select(tensor => tensor.Info), metadata);
        foreach ((TensorInfo info, Array elements) in tensors)
        {
            switch (elements)
            {
                case int[] integers: writer.Write<int>(info.Name, integers); break;
                case Half[] halves: writer.Write<Half>(info.Name, halves); break;
                case BrainFloat16[] halves: writer.Write<BrainFloat16>(info.Name, halves); break;
                case float[] floats: writer.Write<float>(info.Name, floats); break;
            }
        }
        writer.Commit();
    }

    // Little by little: the fields of a row, lowest bits first.
    private static int[] PackRow(IEnumerable<int> fields, int bits)
    {
        int[] all = [.. fields];
        var words = new int[all.Length * bits / 32];
        for (int i = 0; i < all.Length; i++)
            words[i * bits / 32] |= (all[i] & ((1 << bits) - 1)) << (i * bits % 32);
        return words;
    }
}
