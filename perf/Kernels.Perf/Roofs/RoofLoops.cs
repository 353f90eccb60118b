using System.Runtime.CompilerServices;

namespace Kernels.Perf;

/// <summary>The loops that show what the machine can do: nothing but loads, stores or multiply-adds.</summary>
internal static unsafe class RoofLoops<TVector> where TVector : struct, IRoofVector<TVector>
{
    /// <summary>Elements come in blocks of this many: four vectors, or one of each of the four streams of <see cref="Read"/>.</summary>
    public static int Block => 4 * TVector.Count;

    // A register of AVX-512.
    private const int MostVectorBytes = 64;

    /// <summary>What x = x / 2 + 1 converges to.</summary>
    public const float MultiplyAddLimit = 2;

    /// <summary>
    /// The floating-point operations of one step of <see cref="MultiplyAdd"/>: a multiplication and an addition in every lane of every chain.
    /// </summary>
    public static double OperationsPerStep => 2.0 * Chains<HalfAndOne, TVector>.Count * TVector.Count;

    /// <summary>The sum of all elements, read as four streams that start a quarter apart: hardware prefetchers follow each of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Read(float* source, nint count)
    {
        nint quarter = count / 4;
        float* a = source, b = a + quarter, c = b + quarter, d = c + quarter;
        TVector sumA = TVector.Create(0), sumB = sumA, sumC = sumA, sumD = sumA;
        for (nint i = 0; i < quarter; i += TVector.Count)
        {
            sumA += TVector.Load(a + i);
            sumB += TVector.Load(b + i);
            sumC += TVector.Load(c + i);
            sumD += TVector.Load(d + i);
        }
        return sumA.Sum() + sumB.Sum() + sumC.Sum() + sumD.Sum();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(float* source, float* destination, nint count)
    {
        for (nint i = 0; i < count; i += 4 * TVector.Count)
        {
            TVector a = TVector.Load(source + i), b = TVector.Load(source + i + TVector.Count);
            TVector c = TVector.Load(source + i + 2 * TVector.Count), d = TVector.Load(source + i + 3 * TVector.Count);
            a.Store(destination + i);
            b.Store(destination + i + TVector.Count);
            c.Store(destination + i + 2 * TVector.Count);
            d.Store(destination + i + 3 * TVector.Count);
        }
    }

    /// <summary>A copy whose stores go to memory without reading the line first (no read for ownership).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyNonTemporal(float* source, float* destination, nint count)
    {
        for (nint i = 0; i < count; i += 4 * TVector.Count)
        {
            TVector a = TVector.Load(source + i), b = TVector.Load(source + i + TVector.Count);
            TVector c = TVector.Load(source + i + 2 * TVector.Count), d = TVector.Load(source + i + 3 * TVector.Count);
            a.StoreNonTemporal(destination + i);
            b.StoreNonTemporal(destination + i + TVector.Count);
            c.StoreNonTemporal(destination + i + 2 * TVector.Count);
            d.StoreNonTemporal(destination + i + 3 * TVector.Count);
        }
        Interlocked.MemoryBarrier();
    }

    // A tile of 4 vectors of weights and 2 of activations, and products added to each of its sums before it is widened.
    private const int DotWeights = 4, DotActivations = 2, DotsPerStep = 8;

    // Products of one byte: a four-bit weight and an activation whose eight-fold sums just fit 16 bits.
    private const byte Weight = 15;
    private const sbyte Activation = 127;

    /// <summary>A multiplication and an addition for each of the four bytes in a lane.</summary>
    public static double DotOperationsPerStep => 2.0 * 4 * DotWeights * DotActivations * DotsPerStep * TVector.Count;

    /// <summary>What a lane of a sum gains in a step.</summary>
    public static float DotOfStep => 4f * DotsPerStep * Weight * Activation;

    /// <summary>
    /// Eight sums of eight dot products each; returns what a lane gained in a step on average. Operands come from memory, 2 loads for 8 products, and no two
    /// products have the same ones: the compiler would compute equal products once, and constant ones never.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float NibbleDot(nint steps)
    {
        const int weightBytes = DotWeights * MostVectorBytes, activationBytes = DotActivations * DotsPerStep * MostVectorBytes;
        byte* unaligned = stackalloc byte[weightBytes + activationBytes + MostVectorBytes];
        byte* operands = unaligned + (-(nint)unaligned & (MostVectorBytes - 1));
        new Span<byte>(operands, weightBytes).Fill(Weight);
        new Span<byte>(operands + weightBytes, activationBytes).Fill((byte)Activation);
        var weights = (float*)operands;
        TVector w0 = TVector.Load(weights), w1 = TVector.Load(weights + TVector.Count), w2 = TVector.Load(weights + 2 * TVector.Count),
            w3 = TVector.Load(weights + 3 * TVector.Count);
        TVector zero = TVector.Create(0), sum = zero;
        for (nint step = 0; step < steps; step++)
        {
            TVector a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero;
            var activations = (float*)(operands + weightBytes);
            for (int dot = 0; dot < DotsPerStep; dot++)
            {
                TVector x = TVector.Load(activations), y = TVector.Load(activations + TVector.Count);
                a = TVector.AddNibbleDot(a, w0, x);
                b = TVector.AddNibbleDot(b, w1, x);
                c = TVector.AddNibbleDot(c, w2, x);
                d = TVector.AddNibbleDot(d, w3, x);
                e = TVector.AddNibbleDot(e, w0, y);
                f = TVector.AddNibbleDot(f, w1, y);
                g = TVector.AddNibbleDot(g, w2, y);
                h = TVector.AddNibbleDot(h, w3, y);
                activations += DotActivations * TVector.Count;
            }
            // In float lanes the sums stay far below what they hold exactly only while there are few steps, so each step replaces the last.
            sum = TVector.WidenDot(a) + TVector.WidenDot(b) + TVector.WidenDot(c) + TVector.WidenDot(d)
                + TVector.WidenDot(e) + TVector.WidenDot(f) + TVector.WidenDot(g) + TVector.WidenDot(h);
        }
        return sum.Sum() / (DotWeights * DotActivations * TVector.Count);
    }

    /// <summary>Chains x = x / 2 + 1, which converge to 2. Returns the mean of all lanes, 2.</summary>
    public static float MultiplyAdd(nint steps)
    {
        TVector one = TVector.Create(1);
        return Chains<HalfAndOne, TVector>.Run(steps, one, TVector.Create(0.5f), one).Sum() / (Chains<HalfAndOne, TVector>.Count * TVector.Count);
    }

    private readonly struct HalfAndOne : IChainStep<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Next(TVector last, TVector x, TVector y) => TVector.MultiplyAdd(last, x, y);

        public static TVector Combine(TVector left, TVector right) => left + right;
    }
}
