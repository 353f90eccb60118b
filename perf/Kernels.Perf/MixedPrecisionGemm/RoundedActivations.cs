namespace Kernels.Perf;

/// <summary>Activations in eight bits with one scale for all: a = Scale (value - ZeroPoint).</summary>
internal sealed record RoundedActivations(byte[] Values, bool IsSigned, float Scale, int ZeroPoint)
{
    private const int Largest = sbyte.MaxValue;

    /// <summary>0 to 127.</summary>
    public static RoundedActivations Unsigned(ReadOnlySpan<float> activations)
    {
        (float least, float most) = Range(activations);
        float scale = (most - least) / Largest;
        int zeroPoint = (int)MathF.Round(-least / scale);
        return new(Round(activations, scale, zeroPoint, 0), IsSigned: false, scale, zeroPoint);
    }

    /// <summary>-127 to 127.</summary>
    public static RoundedActivations Signed(ReadOnlySpan<float> activations)
    {
        (float least, float most) = Range(activations);
        float scale = MathF.Max(-least, most) / Largest;
        return new(Round(activations, scale, 0, -Largest), IsSigned: true, scale, 0);
    }

    private static (float Least, float Most) Range(ReadOnlySpan<float> activations)
    {
        float least = 0, most = 0;
        foreach (float value in activations)
            (least, most) = (MathF.Min(least, value), MathF.Max(most, value));
        return (least, most);
    }

    private static byte[] Round(ReadOnlySpan<float> activations, float scale, int zeroPoint, int smallest)
    {
        var values = new byte[activations.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = (byte)Math.Clamp((int)MathF.Round(activations[i] / scale) + zeroPoint, smallest, Largest);
        return values;
    }
}
