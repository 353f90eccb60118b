using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.SparseAttention;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Sums of nibbles (0 to 15, four in a 32-bit lane, a lane a token) times query elements in eight bits (-127 to 127). Two products of a pair are at most 3810
/// in magnitude; where partial sums are 16-bit lanes, 8 of them reach 30480 &lt; 32767: that is 4 steps of 8 dimensions.
/// </summary>
internal unsafe interface INibbleDot<I> where I : unmanaged
{
    static abstract int Lanes { get; }

    static abstract int StepsPerFlush { get; }

    static abstract I Load(byte* source);

    static abstract I Low(I bytes);

    static abstract I High(I bytes);

    /// <summary>partial + nibbles times the four query elements at <paramref name="query"/>.</summary>
    static abstract I Add(I partial, I nibbles, sbyte* query);

    /// <summary>total + what <see cref="Add"/> gathered, in int32 lanes.</summary>
    static abstract I Flush(I total, I partial);

    static abstract void StoreSingle(I total, float* destination);
}

internal readonly unsafe struct NibbleDot512 : INibbleDot<Vector512<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => Vector512<int>.Count;

    public static int StepsPerFlush => NibbleDotSteps.OfShorts;

    [MethodImpl(Inline)]
    public static Vector512<int> Load(byte* source) => Vector512.Load((int*)source);

    [MethodImpl(Inline)]
    public static Vector512<int> Low(Vector512<int> bytes) => bytes & Vector512.Create((byte)NibbleLayout.LowNibble).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<int> High(Vector512<int> bytes) => Low(bytes >>> NibbleLayout.NibbleBits);

    [MethodImpl(Inline)]
    public static Vector512<int> Add(Vector512<int> partial, Vector512<int> nibbles, sbyte* query)
    {
        if (Avx512BW.IsSupported)
            return (partial.AsInt16() + Avx512BW.MultiplyAddAdjacent(nibbles.AsByte(), Vector512.Create(*(int*)query).AsSByte())).AsInt32();
        return Vector512.Create(NibbleDot256.Add(partial.GetLower(), nibbles.GetLower(), query),
            NibbleDot256.Add(partial.GetUpper(), nibbles.GetUpper(), query));
    }

    [MethodImpl(Inline)]
    public static Vector512<int> Flush(Vector512<int> total, Vector512<int> partial)
    {
        if (Avx512BW.IsSupported)
            return total + Avx512BW.MultiplyAddAdjacent(partial.AsInt16(), Vector512<short>.One);
        return Vector512.Create(NibbleDot256.Flush(total.GetLower(), partial.GetLower()), NibbleDot256.Flush(total.GetUpper(), partial.GetUpper()));
    }

    [MethodImpl(Inline)]
    public static void StoreSingle(Vector512<int> total, float* destination) => Vector512.ConvertToSingle(total).Store(destination);
}

internal readonly unsafe struct NibbleDot256 : INibbleDot<Vector256<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => Vector256<int>.Count;

    public static int StepsPerFlush => NibbleDotSteps.OfShorts;

    [MethodImpl(Inline)]
    public static Vector256<int> Load(byte* source) => Vector256.Load((int*)source);

    [MethodImpl(Inline)]
    public static Vector256<int> Low(Vector256<int> bytes) => bytes & Vector256.Create((byte)NibbleLayout.LowNibble).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<int> High(Vector256<int> bytes) => Low(bytes >>> NibbleLayout.NibbleBits);

    [MethodImpl(Inline)]
    public static Vector256<int> Add(Vector256<int> partial, Vector256<int> nibbles, sbyte* query)
    {
        if (Avx2.IsSupported)
            return (partial.AsInt16() + Avx2.MultiplyAddAdjacent(nibbles.AsByte(), Vector256.Create(*(int*)query).AsSByte())).AsInt32();
        return Vector256.Create(NibbleDot128.Add(partial.GetLower(), nibbles.GetLower(), query),
            NibbleDot128.Add(partial.GetUpper(), nibbles.GetUpper(), query));
    }

    [MethodImpl(Inline)]
    public static Vector256<int> Flush(Vector256<int> total, Vector256<int> partial)
    {
        if (Avx2.IsSupported)
            return total + Avx2.MultiplyAddAdjacent(partial.AsInt16(), Vector256<short>.One);
        return Vector256.Create(NibbleDot128.Flush(total.GetLower(), partial.GetLower()), NibbleDot128.Flush(total.GetUpper(), partial.GetUpper()));
    }

    [MethodImpl(Inline)]
    public static void StoreSingle(Vector256<int> total, float* destination) => Vector256.ConvertToSingle(total).Store(destination);
}

internal readonly unsafe struct NibbleDot128 : INibbleDot<Vector128<int>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => Vector128<int>.Count;

    public static int StepsPerFlush => NibbleDotSteps.OfShorts;

    [MethodImpl(Inline)]
    public static Vector128<int> Load(byte* source) => Vector128.Load((int*)source);

    [MethodImpl(Inline)]
    public static Vector128<int> Low(Vector128<int> bytes) => bytes & Vector128.Create((byte)NibbleLayout.LowNibble).AsInt32();

    [MethodImpl(Inline)]
    public static Vector128<int> High(Vector128<int> bytes) => Low(bytes >>> NibbleLayout.NibbleBits);

    // Portable: the products of bytes in 16 bits each, pairs of them brought together as vpmaddubsw does.
    [MethodImpl(Inline)]
    public static Vector128<int> Add(Vector128<int> partial, Vector128<int> nibbles, sbyte* query)
    {
        Vector128<sbyte> q = Vector128.Create(*(int*)query).AsSByte();
        if (Ssse3.IsSupported)
            return (partial.AsInt16() + Ssse3.MultiplyAddAdjacent(nibbles.AsByte(), q)).AsInt32();
        Vector128<short> even = (nibbles.AsInt16() << 8 >> 8) * (q.AsInt16() << 8 >> 8), odd = (nibbles.AsInt16() >> 8) * (q.AsInt16() >> 8);
        return (partial.AsInt16() + even + odd).AsInt32();
    }

    [MethodImpl(Inline)]
    public static Vector128<int> Flush(Vector128<int> total, Vector128<int> partial) => total + (partial << 16 >> 16) + (partial >> 16);

    [MethodImpl(Inline)]
    public static void StoreSingle(Vector128<int> total, float* destination) => Vector128.ConvertToSingle(total).Store(destination);
}

/// <summary>One lane, in plain integers.</summary>
internal readonly unsafe struct NibbleDotScalar : INibbleDot<int>
{
    public static int Lanes => 1;

    public static int StepsPerFlush => NibbleDotSteps.OfShorts;

    public static int Load(byte* source) => *(int*)source;

    public static int Low(int bytes) => bytes & 0x0F0F0F0F;

    public static int High(int bytes) => Low(bytes >>> NibbleLayout.NibbleBits);

    public static int Add(int partial, int nibbles, sbyte* query)
    {
        for (int i = 0; i < sizeof(int); i++)
            partial += ((nibbles >> (8 * i)) & byte.MaxValue) * query[i];
        return partial;
    }

    public static int Flush(int total, int partial) => total + partial;

    public static void StoreSingle(int total, float* destination) => *destination = total;
}

internal static class NibbleDotSteps
{
    /// <summary>See <see cref="INibbleDot{I}"/>.</summary>
    public const int OfShorts = 4;
}
