namespace Kernels;

/// <summary>What can be said of a product before it is computed.</summary>
/// <param name="Products">Multiplications, exactly; twice as many floating-point operations.</param>
/// <param name="LeastEntries">The result has at least as many entries, unless a mask or the dropping of zeros takes some away.</param>
/// <param name="MostEntries">The result has at most as many.</param>
public readonly record struct SpGemmCount(long Products, long LeastEntries, long MostEntries);
