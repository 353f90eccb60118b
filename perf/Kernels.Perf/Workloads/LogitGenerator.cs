namespace Kernels.Perf;

/// <summary>Numbers distributed like a language model's logits, the same in every run.</summary>
internal static class LogitGenerator
{
    // The spread of GPT-2's next-token logits is 2 to 4.
    private const float StandardDeviation = 3;

    /// <summary>
    /// Fills with the sum of four uniform numbers, shifted and scaled to mean 0 and the standard deviation above: nearly normal, and as fast as
    /// memory, which a row of 64 million needs.
    /// </summary>
    public static void Fill<T>(Span<T> logits, ulong seed) where T : unmanaged
    {
        // Four uniforms of variance 1/12 each have variance 1/3 together.
        float scale = StandardDeviation * MathF.Sqrt(3) / (ushort.MaxValue + 1);
        float mean = 4 * ushort.MaxValue / 2f;
        for (int i = 0; i < logits.Length; i++)
        {
            ulong bits = Mix(seed + (ulong)i);
            float sum = (ushort)bits + (ushort)(bits >> 16) + (ushort)(bits >> 32) + (ushort)(bits >> 48);
            logits[i] = Element<T>.FromSingle((sum - mean) * scale);
        }
    }

    // The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) on a counter.
    private static ulong Mix(ulong counter)
    {
        ulong z = counter * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
