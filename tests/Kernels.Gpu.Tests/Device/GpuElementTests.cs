using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>The conversions by bits are those of .NET's Half and of BrainFloat16, for every bit pattern and around every rounding boundary.</summary>
public class GpuElementTests
{
    [Fact]
    public void EveryHalfIsReadAsDotNetReadsIt()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
            Assert.Equal((float)BitConverter.UInt16BitsToHalf((ushort)bits), Float16Element.Load((ushort)bits));
    }

    [Fact]
    public void FloatsAreRoundedAsDotNetRoundsThem()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float exact = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            if (float.IsNaN(exact))
                continue;
            float next = (float)Half.BitIncrement(BitConverter.UInt16BitsToHalf((ushort)bits)), middle = (exact + next) / 2;
            foreach (float value in new[] { exact, middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle) })
                AssertStored(value);
        }
        foreach (float value in new[] { float.NaN, float.MaxValue, float.MinValue, float.Epsilon, float.PositiveInfinity, float.NegativeInfinity, 65519.99f,
            65520f })
            AssertStored(value);
    }

    private static void AssertStored(float value)
    {
        Assert.Equal((Half)value, BitConverter.UInt16BitsToHalf(Float16Element.Store(value)));
        Assert.Equal(((BrainFloat16)value).Bits, BFloat16Element.Store(value));
        Assert.Equal((float)(BrainFloat16)value, BFloat16Element.Load(BFloat16Element.Store(value)));
    }
}
