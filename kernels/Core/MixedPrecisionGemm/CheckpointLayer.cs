namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>How a checkpoint's tensors hold the values of a layer. Zero points are as the formula w = scale (q - zero) wants them.</summary>
internal unsafe interface ICheckpointLayout
{
    int Value(int output, int input);

    int ZeroPoint(int output, int group);

    /// <summary>The number of a scale in its tensor.</summary>
    long ScaleIndex(int output, int group);
}

/// <summary>A layer as it lies in a mapped checkpoint, read straight into packed panels.</summary>
internal readonly unsafe struct CheckpointLayer<TLayout>(TLayout layout, byte* scales, ScaleType scaleType, int* inputOrder, int groupSize) : IWeightSource
    where TLayout : unmanaged, ICheckpointLayout
{
    private readonly TLayout _layout = layout;
    private readonly byte* _scales = scales;
    private readonly ScaleType _scaleType = scaleType;
    private readonly int* _inputOrder = inputOrder;
    private readonly int _groupSize = groupSize;

    public (float Scale, int Zero) Fit(int output, int group)
    {
        long index = _layout.ScaleIndex(output, group);
        float scale = _scaleType switch
        {
            ScaleType.Float16 => (float)((Half*)_scales)[index],
            ScaleType.BFloat16 => ((BrainFloat16*)_scales)[index],
            _ => ((float*)_scales)[index],
        };
        return (scale, _layout.ZeroPoint(output, group));
    }

    public void Quantize(int output, int group, int firstOfGroup, Span<byte> values, float scale, int zero)
    {
        int first = group * _groupSize + firstOfGroup;
        for (int i = 0; i < values.Length; i++)
            values[i] = (byte)_layout.Value(output, _inputOrder == null ? first + i : _inputOrder[first + i]);
    }
}

/// <summary>
/// GPTQ: qweight [inputs * bits / 32, outputs], consecutive inputs in a word, lowest bits first; qzeros [groups, outputs * bits / 32]; scales [groups,
/// outputs].
/// </summary>
internal readonly unsafe struct GptqLayout(uint* weights, uint* zeroPoints, int outputCount, int bits, int zeroOffset) : ICheckpointLayout
{
    public int Value(int output, int input) => Field(weights, ((long)input * bits / 32 * outputCount) + output, input * (long)bits % 32);

    // Version 1 keeps zero - 1, modulo 2^bits.
    public int ZeroPoint(int output, int group) =>
        (Field(zeroPoints, ((long)group * outputCount + output) * bits / 32, (long)output * bits % 32) + zeroOffset) & ((1 << bits) - 1);

    public long ScaleIndex(int output, int group) => (long)group * outputCount + output;

    private int Field(uint* words, long word, long shift) => (int)(words[word] >> (int)shift) & ((1 << bits) - 1);
}

/// <summary>
/// AWQ: qweight [inputs, outputs / 8] and qzeros [groups, outputs / 8], eight outputs in a word in the order 0, 2, 4, 6, 1, 3, 5, 7, lowest bits first; scales
/// [groups, outputs].
/// </summary>
internal readonly unsafe struct AwqLayout(uint* weights, uint* zeroPoints, int outputCount) : ICheckpointLayout
{
    private const int Bits = 4, WordValues = 8;

    public int Value(int output, int input) => Field(weights, output, input);

    public int ZeroPoint(int output, int group) => Field(zeroPoints, output, group);

    public long ScaleIndex(int output, int group) => (long)group * outputCount + output;

    // Even outputs come first: output 2 i stands at i, output 2 i + 1 at i + 4.
    private int Field(uint* words, int output, int row)
    {
        int inWord = output % WordValues, place = inWord / 2 + inWord % 2 * (WordValues / 2);
        return (int)(words[((long)row * outputCount + output) / WordValues] >> (place * Bits)) & ((1 << Bits) - 1);
    }
}

/// <summary>MARLIN's symmetric tensors: <see cref="MarlinLayout"/>.</summary>
internal readonly unsafe struct MarlinTensors(uint* weights, int outputCount, int groupCount, int bits) : ICheckpointLayout
{
    public int Value(int output, int input)
    {
        (long word, int shift) = MarlinLayout.Locate(output, input, outputCount, bits);
        return (int)(weights[word] >> shift) & ((1 << bits) - 1);
    }

    public int ZeroPoint(int output, int group) => 1 << (bits - 1);

    public long ScaleIndex(int output, int group) => MarlinLayout.ScaleIndex(output, group, outputCount, groupCount);
}
