namespace Kernels.Core.Elements;

/// <summary>Logarithms between the bases e and 2.</summary>
internal static class Logarithms
{
    /// <summary>The binary logarithm of e.</summary>
    public const double Log2E = 1.44269504088896341;

    /// <summary>The natural logarithm of 2.</summary>
    public const double Ln2 = 0.69314718055994531;
}
