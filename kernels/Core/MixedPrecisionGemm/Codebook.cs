namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>
/// The numbers that codebook formats choose from; the largest magnitude is 1, and a weight is its group's largest magnitude times one of them.
/// </summary>
internal static class Codebook
{
    /// <summary>Numbers of a codebook of four bits.</summary>
    public const int Length = 16;

    // The quantiles at equal distances on either side of 0, divided by the largest: QLoRA, appendix E; bitsandbytes publishes them as floats. A test derives
    // them.
    private static readonly float[] s_nf4 =
    [
        -1.0f, -0.6961928f, -0.52507305f, -0.3949175f, -0.28444138f, -0.18477343f, -0.091050036f, 0.0f,
        0.0795803f, 0.1609302f, 0.2461123f, 0.33791524f, 0.44070983f, 0.562617f, 0.72295684f, 1.0f,
    ];

    // Sign, exponent and fraction of 1, 2 and 1 bits, with a subnormal 1/16, over the largest, 12; as bitsandbytes numbers them.
    private static readonly float[] s_fp4 =
    [
        0f, 0.0625f / 12, 8f / 12, 1f, 4f / 12, 6f / 12, 2f / 12, 3f / 12,
        -0f, -0.0625f / 12, -8f / 12, -1f, -4f / 12, -6f / 12, -2f / 12, -3f / 12,
    ];

    private static readonly NearestNumber s_nearestNf4 = new(s_nf4), s_nearestFp4 = new(s_fp4);

    public static ReadOnlySpan<float> Of(QuantizedType type) => type switch
    {
        QuantizedType.Nf4 => s_nf4,
        QuantizedType.Fp4 => s_fp4,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a codebook"),
    };

    /// <summary>The index of the number nearest to each value; halfway between two, of the lower one.</summary>
    public static void Nearest(QuantizedType type, ReadOnlySpan<float> weights, float scale, Span<byte> indices) =>
        (type == QuantizedType.Nf4 ? s_nearestNf4 : s_nearestFp4).Find(weights, scale, indices);

    private sealed class NearestNumber
    {
        private readonly byte[] _indexOfRank;
        private readonly float[] _middles;

        public NearestNumber(float[] numbers)
        {
            // Negative zero is a number of fp4 that nothing needs.
            int[] ordered = [.. Enumerable.Range(0, Length).Where(i => !float.IsNegative(numbers[i]) || numbers[i] != 0).OrderBy(i => numbers[i])];
            _indexOfRank = [.. ordered.Select(i => (byte)i)];
            _middles = [.. ordered.Skip(1).Zip(ordered, (above, below) => (numbers[above] + numbers[below]) / 2)];
        }

        public void Find(ReadOnlySpan<float> weights, float scale, Span<byte> indices)
        {
            // The reciprocal of a scale that is no normal number may overflow: raised by 2^64, which is exact, none does.
            const float smallestNormal = 1.17549435e-38f, upward = 1.8446744e19f;
            float raise = scale < smallestNormal ? upward : 1, reciprocal = scale == 0 ? 0 : 1 / (scale * raise);
            for (int i = 0; i < weights.Length; i++)
            {
                float value = weights[i] * raise * reciprocal;
                int rank = 0;
                foreach (float middle in _middles)
                    rank += value > middle ? 1 : 0;
                indices[i] = _indexOfRank[rank];
            }
        }
    }
}
