namespace Kernels.Core.SparseAttention;

/// <summary>Rows of floats as they are stored, and back.</summary>
internal static unsafe class KeyValueCodec
{
    private const int LargestCode = sbyte.MaxValue;

    // Halfway between the largest half and 2^16: rounds to even, that is, to infinity.
    private const float FirstInfiniteHalf = 65520;

    /// <summary>Rounds a row to nearest, ties to even; returns the scale of a row of bytes, else 1.</summary>
    public static float Narrow(ReadOnlySpan<float> row, byte* destination, KeyValueType type)
    {
        switch (type)
        {
            case KeyValueType.Float32:
                row.CopyTo(new Span<float>(destination, row.Length));
                return 1;
            case KeyValueType.Float16:
                for (int i = 0; i < row.Length; i++)
                    ((Half*)destination)[i] = (Half)row[i];
                return 1;
            case KeyValueType.BFloat16:
                for (int i = 0; i < row.Length; i++)
                    ((BrainFloat16*)destination)[i] = (BrainFloat16)row[i];
                return 1;
            default:
                float scale = Scale(row);
                for (int i = 0; i < row.Length; i++)
                    ((sbyte*)destination)[i] = (sbyte)Code(row[i], scale);
                return scale;
        }
    }

    public static void Widen(byte* row, Span<float> destination, KeyValueType type, float scale)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = type switch
            {
                KeyValueType.Float32 => ((float*)row)[i],
                KeyValueType.Float16 => (float)((Half*)row)[i],
                KeyValueType.BFloat16 => ((BrainFloat16*)row)[i],
                _ => ((sbyte*)row)[i] * scale,
            };
        }
    }

    /// <summary>Whether a row is finite as it is stored. A float that rounds to no finite half is not.</summary>
    public static bool IsFinite(ReadOnlySpan<float> row, KeyValueType type)
    {
        bool isFinite = true;
        float limit = type == KeyValueType.Float16 ? FirstInfiniteHalf : float.PositiveInfinity;
        foreach (float x in row)
            isFinite &= MathF.Abs(x) < limit;
        return isFinite;
    }

    /// <summary>Largest magnitude / 127; not a number for rows that are not finite, which then read back as NaN.</summary>
    public static float Scale(ReadOnlySpan<float> row)
    {
        float largest = 0;
        foreach (float x in row)
            largest = MathF.Max(largest, MathF.Abs(x));
        return float.IsFinite(largest) ? largest / LargestCode : float.NaN;
    }

    /// <summary>A number in units of the scale, -127 to 127; 0 if the scale is 0 or no number.</summary>
    public static int Code(float x, float scale) =>
        scale > 0 ? (int)Math.Clamp(MathF.Round(x / scale), -LargestCode, LargestCode) : 0;
}
