namespace Kernels.Gpu;

/// <summary>Four floats, loaded and stored by 16 bytes. Passed by value: ILGPU keeps each field in a register.</summary>
internal struct Float4(float x, float y, float z, float w)
{
    public float X = x, Y = y, Z = z, W = w;

    /// <summary>The same number four times.</summary>
    public static Float4 Of(float value) => new(value, value, value, value);

    /// <summary>a b + c in each place, with one rounding.</summary>
    public static Float4 Fma(Float4 a, Float4 b, Float4 c) =>
        new(GpuOps.Fma(a.X, b.X, c.X), GpuOps.Fma(a.Y, b.Y, c.Y), GpuOps.Fma(a.Z, b.Z, c.Z), GpuOps.Fma(a.W, b.W, c.W));

    /// <summary>a b + c in each place, with one rounding.</summary>
    public static Float4 Fma(float a, Float4 b, Float4 c) => Fma(Of(a), b, c);

    public static Float4 operator -(Float4 a, Float4 b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z, a.W - b.W);
}

/// <summary>Four words of 32 bits, loaded by 16 bytes.</summary>
internal struct Int4
{
    public int X, Y, Z, W;
}
