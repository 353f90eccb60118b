using System.Runtime.CompilerServices;

namespace Kernels.Perf;

/// <summary>The loops that show what the machine can do: nothing but loads, stores or multiply-adds.</summary>
internal static unsafe class RoofLoops<TVector> where TVector : struct, IRoofVector<TVector>
{
    /// <summary>Elements come in blocks of this many: four vectors, or one of each of the four streams of <see cref="Read"/>.</summary>
    public static int Block => 4 * TVector.Count;

    private const int Chains = 12;

    /// <summary>What x = x / 2 + 1 converges to.</summary>
    public const float MultiplyAddLimit = 2;

    /// <summary>The floating-point operations of one step of <see cref="MultiplyAdd"/>: a multiplication and an addition in every lane of every chain.</summary>
    public static double OperationsPerStep => 2.0 * Chains * TVector.Count;

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

    // Vectors side by side, and products added to each before it is widened: the tile of the integer kernels.
    private const int DotChains = 8, DotsPerStep = 8;

    // Products of one byte: a four-bit weight and an activation whose eight-fold sums just fit 16 bits.
    private const byte Weight = 15;
    private const sbyte Activation = 127;

    /// <summary>A multiplication and an addition for each of the four bytes in a lane.</summary>
    public static double DotOperationsPerStep => 2.0 * 4 * DotChains * DotsPerStep * TVector.Count;

    /// <summary>What a lane of a chain gains in a step.</summary>
    public static float DotOfStep => 4f * DotsPerStep * Weight * Activation;

    /// <summary>Eight chains of eight dot products each; returns what a lane gained in a step on average.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float NibbleDot(nint steps)
    {
        TVector weights = TVector.CreateBytes(Weight), activations = TVector.CreateBytes((byte)Activation), zero = TVector.Create(0);
        TVector totalA = zero, totalB = zero, totalC = zero, totalD = zero, totalE = zero, totalF = zero, totalG = zero, totalH = zero;
        for (nint step = 0; step < steps; step++)
        {
            TVector a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero;
            for (int dot = 0; dot < DotsPerStep; dot++)
            {
                a = TVector.AddNibbleDot(a, weights, activations);
                b = TVector.AddNibbleDot(b, weights, activations);
                c = TVector.AddNibbleDot(c, weights, activations);
                d = TVector.AddNibbleDot(d, weights, activations);
                e = TVector.AddNibbleDot(e, weights, activations);
                f = TVector.AddNibbleDot(f, weights, activations);
                g = TVector.AddNibbleDot(g, weights, activations);
                h = TVector.AddNibbleDot(h, weights, activations);
            }
            // In float lanes: the sums stay far below what they hold exactly only while there are few steps, so each step replaces the last.
            totalA = TVector.WidenDot(a);
            totalB = TVector.WidenDot(b);
            totalC = TVector.WidenDot(c);
            totalD = TVector.WidenDot(d);
            totalE = TVector.WidenDot(e);
            totalF = TVector.WidenDot(f);
            totalG = TVector.WidenDot(g);
            totalH = TVector.WidenDot(h);
        }
        return (totalA + totalB + totalC + totalD + totalE + totalF + totalG + totalH).Sum() / (DotChains * TVector.Count);
    }

    /// <summary>
    /// Twelve independent chains x = x / 2 + 1, which converge to 2: more than latency times throughput of any core (2 pipes of latency 4 or 5), and with
    /// the two constants just within the 16 registers of AVX2. Returns the mean of all lanes, 2.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float MultiplyAdd(nint steps)
    {
        TVector half = TVector.Create(0.5f), one = TVector.Create(1);
        TVector a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one, i = one, j = one, k = one, l = one;
        for (nint step = 0; step < steps; step++)
        {
            a = TVector.MultiplyAdd(a, half, one);
            b = TVector.MultiplyAdd(b, half, one);
            c = TVector.MultiplyAdd(c, half, one);
            d = TVector.MultiplyAdd(d, half, one);
            e = TVector.MultiplyAdd(e, half, one);
            f = TVector.MultiplyAdd(f, half, one);
            g = TVector.MultiplyAdd(g, half, one);
            h = TVector.MultiplyAdd(h, half, one);
            i = TVector.MultiplyAdd(i, half, one);
            j = TVector.MultiplyAdd(j, half, one);
            k = TVector.MultiplyAdd(k, half, one);
            l = TVector.MultiplyAdd(l, half, one);
        }
        return (a + b + c + d + e + f + g + h + i + j + k + l).Sum() / (Chains * TVector.Count);
    }
}
