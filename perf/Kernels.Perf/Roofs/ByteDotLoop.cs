using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Perf;

/// <summary>Exact products of signed bytes in registers: twelve chains, with what the machine offers for them.</summary>
internal static class ByteDotLoop
{
    private const int Chains = 12, ProductsOfVpdpbusd = 32, ProductsOfVpmaddwd256 = 16, ProductsOfVpmaddwd512 = 32, ProductsOfPmaddwd = 8;

    /// <summary>A multiplication and an addition for each product.</summary>
    public static double OperationsPerStep => 2.0 * Chains
        * (AvxVnni.IsSupported ? ProductsOfVpdpbusd : Avx512BW.IsSupported ? ProductsOfVpmaddwd512 : Avx2.IsSupported ? ProductsOfVpmaddwd256 : ProductsOfPmaddwd);

    /// <summary>What a lane gains in a step, if 4 ones are added to it; else what it stays.</summary>
    public static float SumOfStep => AvxVnni.IsSupported ? 4 : 1;

    /// <summary>Returns the mean over the lanes of <see cref="SumOfStep"/>.</summary>
    public static float Run(nint steps) =>
        AvxVnni.IsSupported ? AddVnni(steps) / (float)steps : Avx512BW.IsSupported ? Add512(steps, Vector512<int>.Zero) : Avx2.IsSupported ? Add256(steps, Vector256<int>.Zero) : Add128(steps, Vector128<int>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int AddVnni(nint steps)
    {
        Vector256<byte> x = Vector256<byte>.One;
        Vector256<sbyte> y = Vector256<sbyte>.One;
        Vector256<int> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (; steps > 0; steps--)
        {
            a = AvxVnni.MultiplyWideningAndAdd(a, x, y);
            b = AvxVnni.MultiplyWideningAndAdd(b, x, y);
            c = AvxVnni.MultiplyWideningAndAdd(c, x, y);
            d = AvxVnni.MultiplyWideningAndAdd(d, x, y);
            e = AvxVnni.MultiplyWideningAndAdd(e, x, y);
            f = AvxVnni.MultiplyWideningAndAdd(f, x, y);
            g = AvxVnni.MultiplyWideningAndAdd(g, x, y);
            h = AvxVnni.MultiplyWideningAndAdd(h, x, y);
            i = AvxVnni.MultiplyWideningAndAdd(i, x, y);
            j = AvxVnni.MultiplyWideningAndAdd(j, x, y);
            k = AvxVnni.MultiplyWideningAndAdd(k, x, y);
            l = AvxVnni.MultiplyWideningAndAdd(l, x, y);
        }
        // Equal lanes of equal chains: the mean is any of them, unless one is wrong.
        return Vector256.Max(Vector256.Max(Vector256.Max(a, b), Vector256.Max(c, d)), Vector256.Max(Vector256.Max(Vector256.Max(e, f), Vector256.Max(g, h)), Vector256.Max(Vector256.Max(i, j), Vector256.Max(k, l)))).ToScalar();
    }

    // x = 1 x + 0: the zero comes from the caller, so that the compiler cannot leave the addition out.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Add512(nint steps, Vector512<int> zero)
    {
        Vector512<short> one = Vector512<short>.One;
        Vector512<int> a = Vector512<int>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (; steps > 0; steps--)
        {
            a = Avx512BW.MultiplyAddAdjacent(a.AsInt16(), one) + zero;
            b = Avx512BW.MultiplyAddAdjacent(b.AsInt16(), one) + zero;
            c = Avx512BW.MultiplyAddAdjacent(c.AsInt16(), one) + zero;
            d = Avx512BW.MultiplyAddAdjacent(d.AsInt16(), one) + zero;
            e = Avx512BW.MultiplyAddAdjacent(e.AsInt16(), one) + zero;
            f = Avx512BW.MultiplyAddAdjacent(f.AsInt16(), one) + zero;
            g = Avx512BW.MultiplyAddAdjacent(g.AsInt16(), one) + zero;
            h = Avx512BW.MultiplyAddAdjacent(h.AsInt16(), one) + zero;
            i = Avx512BW.MultiplyAddAdjacent(i.AsInt16(), one) + zero;
            j = Avx512BW.MultiplyAddAdjacent(j.AsInt16(), one) + zero;
            k = Avx512BW.MultiplyAddAdjacent(k.AsInt16(), one) + zero;
            l = Avx512BW.MultiplyAddAdjacent(l.AsInt16(), one) + zero;
        }
        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l) / (float)(Chains * Vector512<int>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Add256(nint steps, Vector256<int> zero)
    {
        Vector256<short> one = Vector256<short>.One;
        Vector256<int> a = Vector256<int>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (; steps > 0; steps--)
        {
            a = Avx2.MultiplyAddAdjacent(a.AsInt16(), one) + zero;
            b = Avx2.MultiplyAddAdjacent(b.AsInt16(), one) + zero;
            c = Avx2.MultiplyAddAdjacent(c.AsInt16(), one) + zero;
            d = Avx2.MultiplyAddAdjacent(d.AsInt16(), one) + zero;
            e = Avx2.MultiplyAddAdjacent(e.AsInt16(), one) + zero;
            f = Avx2.MultiplyAddAdjacent(f.AsInt16(), one) + zero;
            g = Avx2.MultiplyAddAdjacent(g.AsInt16(), one) + zero;
            h = Avx2.MultiplyAddAdjacent(h.AsInt16(), one) + zero;
            i = Avx2.MultiplyAddAdjacent(i.AsInt16(), one) + zero;
            j = Avx2.MultiplyAddAdjacent(j.AsInt16(), one) + zero;
            k = Avx2.MultiplyAddAdjacent(k.AsInt16(), one) + zero;
            l = Avx2.MultiplyAddAdjacent(l.AsInt16(), one) + zero;
        }
        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l) / (float)(Chains * Vector256<int>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Add128(nint steps, Vector128<int> zero)
    {
        Vector128<short> one = Vector128<short>.One;
        Vector128<int> a = Vector128<int>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (; steps > 0; steps--)
        {
            a = Pairs(a, one) + zero;
            b = Pairs(b, one) + zero;
            c = Pairs(c, one) + zero;
            d = Pairs(d, one) + zero;
            e = Pairs(e, one) + zero;
            f = Pairs(f, one) + zero;
            g = Pairs(g, one) + zero;
            h = Pairs(h, one) + zero;
            i = Pairs(i, one) + zero;
            j = Pairs(j, one) + zero;
            k = Pairs(k, one) + zero;
            l = Pairs(l, one) + zero;
        }
        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l) / (float)(Chains * Vector128<int>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Pairs(Vector128<int> x, Vector128<short> y) => Sse2.IsSupported
        ? Sse2.MultiplyAddAdjacent(x.AsInt16(), y)
        : Vector128.WidenLower(x.AsInt16() * y) + Vector128.WidenUpper(x.AsInt16() * y);
}
