namespace CharRnn;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): random numbers whose whole state is one word, which a checkpoint can hold.</summary>
internal sealed class SplitMix64(ulong state)
{
    // The bits of a double's mantissa, the leading one included.
    private const int MantissaBits = 53;

    public ulong State { get; private set; } = state;

    /// <summary>A number from 0 to below <paramref name="bound"/>.</summary>
    public int Next(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>A number from 0 to below 1.</summary>
    public double NextDouble() => (Next() >> (64 - MantissaBits)) / (double)(1UL << MantissaBits);

    private ulong Next()
    {
        State += 0x9E3779B97F4A7C15;
        ulong z = State;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
