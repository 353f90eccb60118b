using Kernels.Cpu.Elements;

namespace Kernels.Tests;

/// <summary>Conversions of the 16-bit types: all values one way, ties and random bits the other.</summary>
public sealed unsafe class StorageTests
{
    [Fact]
    public void EveryHalfWidensExactly()
    {
        Half[] halves = [.. Enumerable.Range(0, 65536).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits))];
        float[] wide = Widen<Half, HalfStorage>(halves);
        for (int i = 0; i < halves.Length; i++)
            Assert.True(((float)halves[i]).Equals(wide[i]), $"half {i:X4}: {wide[i]}");
    }

    [Fact]
    public void EveryBFloat16WidensExactly()
    {
        BrainFloat16[] brains = [.. Enumerable.Range(0, 65536).Select(bits => BrainFloat16.FromBits((ushort)bits))];
        float[] wide = Widen<BrainFloat16, BFloat16Storage>(brains);
        for (int i = 0; i < brains.Length; i++)
            Assert.True(BitConverter.UInt32BitsToSingle((uint)i << 16).Equals(wide[i]), $"brain float {i:X4}: {wide[i]}");
    }

    [Fact]
    public void NarrowingRoundsToNearestEven()
    {
        float[] singles = [.. HardSingles()];
        Half[] halves = Narrow<Half, HalfStorage>(singles);
        BrainFloat16[] brains = Narrow<BrainFloat16, BFloat16Storage>(singles);
        for (int i = 0; i < singles.Length; i++)
        {
            Assert.True(((Half)singles[i]).Equals(halves[i]), $"{singles[i]:R} became half {halves[i]}");
            Assert.True(NearestBrain(singles[i]).Equals(brains[i]), $"{singles[i]:R} became brain float {brains[i]}");
            Assert.True(((BrainFloat16)singles[i]).Equals(brains[i]), $"{singles[i]:R}: the struct says {(BrainFloat16)singles[i]}, the kernel {brains[i]}");
        }
    }

    // Every half and the midpoints between neighbours, one step to either side of each, and random bits.
    private static IEnumerable<float> HardSingles()
    {
        for (int bits = 0; bits < 0x7C01; bits += 3)
        {
            float value = (float)BitConverter.UInt16BitsToHalf((ushort)bits), next = (float)BitConverter.UInt16BitsToHalf((ushort)Math.Min(bits + 1, 0x7C00));
            float middle = float.IsFinite(next) ? (value + next) / 2 : 65520;
            foreach (float x in new[] { value, middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle), -middle })
                yield return x;
        }
        var random = new Random(3);
        for (int i = 0; i < 100_000; i++)
            yield return BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
        for (int i = 0; i < 2000; i++)
            yield return BitConverter.Int32BitsToSingle((random.Next(65536) << 16) | 0x8000);
    }

    // By the definition: the two neighbours, the nearer one, at a tie the even one.
    private static BrainFloat16 NearestBrain(float value)
    {
        if (float.IsNaN(value))
            return BrainFloat16.FromBits(0x7FC0);
        ushort truncated = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
        double below = (float)BrainFloat16.FromBits(truncated);
        if (double.IsInfinity(below))
            return BrainFloat16.FromBits(truncated);
        // The neighbour of the largest finite number is as far away as the one before it, and stands for infinity.
        float neighbour = BrainFloat16.FromBits((ushort)(truncated + 1));
        double above = float.IsInfinity(neighbour) ? Math.CopySign(Math.ScaleB(1, 128), value) : neighbour;
        double toBelow = Math.Abs(value - below), toAbove = Math.Abs(above - value);
        bool takeBelow = toBelow < toAbove || (toBelow == toAbove && truncated % 2 == 0);
        return BrainFloat16.FromBits(takeBelow ? truncated : (ushort)(truncated + 1));
    }

    private static float[] Widen<T, TStorage>(T[] source) where T : unmanaged where TStorage : struct, IStorage<T, float>
    {
        var wide = new float[source.Length];
        fixed (T* from = source)
        fixed (float* to = wide)
            TStorage.Widen(from, to, source.Length);
        return wide;
    }

    private static T[] Narrow<T, TStorage>(float[] source) where T : unmanaged where TStorage : struct, IStorage<T, float>
    {
        var narrow = new T[source.Length];
        fixed (float* from = source)
        fixed (T* to = narrow)
            TStorage.Narrow(from, to, source.Length);
        return narrow;
    }
}
