namespace Kernels.Tests;

/// <summary>The definition in double, as slow as it likes; it shares no code with the library.</summary>
internal static class NewFamilyOracle
{
    public static double[] Compute(ReadOnlySpan<float> input, int width) =>
        throw new NotImplementedException("NewFamilyOracle: write the family's definition here, in double");

    /// <summary>What each result may be off by: the roundings counted, in units of 2^-24.</summary>
    public static double[] Bounds(ReadOnlySpan<float> input, int width) =>
        throw new NotImplementedException("NewFamilyOracle: derive the family's bound here, and write it on its page");
}
