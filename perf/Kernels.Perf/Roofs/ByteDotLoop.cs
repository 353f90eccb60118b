using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Perf;

/// <summary>
/// Exact products of signed bytes in registers, with the best instruction that the machine has for them. Without VNNI a chain is x = 1 x + 0: two products in
/// each lane, and an addition.
/// </summary>
internal static class ByteDotLoop
{
    private const int ProductsOfVpdpbusd = 32, ProductsOfVpmaddwd256 = 16, ProductsOfVpmaddwd512 = 32, ProductsOfPmaddwd = 8;

    /// <summary>A multiplication and an addition for each product.</summary>
    public static double OperationsPerStep => 2.0 * Chains<Step256, Vector256<int>>.Count
        * (VnniLoop.IsSupported ? VnniLoop.ProductsOfVpdpbusd : AvxVnni.IsSupported ? ProductsOfVpdpbusd : Avx512BW.IsSupported ? ProductsOfVpmaddwd512
            : Avx2.IsSupported ? ProductsOfVpmaddwd256 : ProductsOfPmaddwd);

    /// <summary>What ran.</summary>
    public static string Instruction => VnniLoop.IsSupported ? "vpdpbusd on 512 bits" : AvxVnni.IsSupported ? "vpdpbusd on 256 bits"
        : Avx512BW.IsSupported ? "vpmaddwd on 512 bits" : Avx2.IsSupported ? "vpmaddwd on 256 bits" : "128 bits";

    /// <summary>What a lane gains in a step, if 4 ones are added to it; else what it stays.</summary>
    public static float SumOfStep => VnniLoop.IsSupported || AvxVnni.IsSupported ? 4 : 1;

    /// <summary>Returns the mean over the lanes of <see cref="SumOfStep"/>.</summary>
    public static float Run(nint steps)
    {
        if (VnniLoop.IsSupported)
            return VnniLoop.Run(steps);
        if (AvxVnni.IsSupported)
            return Chains<StepVnni, Vector256<int>>.Run(steps, Vector256<int>.Zero, Vector256<byte>.One.AsInt32(), Vector256<byte>.One.AsInt32())
                .ToScalar() / (float)steps;
        if (Avx512BW.IsSupported)
            return Mean(Vector512.Sum(Chains<Step512, Vector512<int>>.Run(steps, Vector512<int>.One, Vector512<short>.One.AsInt32(), Vector512<int>.Zero)),
                Vector512<int>.Count);
        if (Avx2.IsSupported)
            return Mean(Vector256.Sum(Chains<Step256, Vector256<int>>.Run(steps, Vector256<int>.One, Vector256<short>.One.AsInt32(), Vector256<int>.Zero)),
                Vector256<int>.Count);
        return Mean(Vector128.Sum(Chains<Step128, Vector128<int>>.Run(steps, Vector128<int>.One, Vector128<short>.One.AsInt32(), Vector128<int>.Zero)),
            Vector128<int>.Count);
    }

    private static float Mean(int sum, int lanes) => sum / (float)(lanes * Chains<Step256, Vector256<int>>.Count);

    private readonly struct StepVnni : IChainStep<Vector256<int>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Next(Vector256<int> last, Vector256<int> x, Vector256<int> y) =>
            AvxVnni.MultiplyWideningAndAdd(last, x.AsByte(), y.AsSByte());

        // Equal lanes of equal chains: any of them, unless one is wrong; their sum would not fit.
        public static Vector256<int> Combine(Vector256<int> left, Vector256<int> right) => Vector256.Max(left, right);
    }

    private readonly struct Step512 : IChainStep<Vector512<int>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Next(Vector512<int> last, Vector512<int> x, Vector512<int> y) => Avx512BW.MultiplyAddAdjacent(last.AsInt16(), x.AsInt16())
            + y;

        public static Vector512<int> Combine(Vector512<int> left, Vector512<int> right) => left + right;
    }

    private readonly struct Step256 : IChainStep<Vector256<int>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Next(Vector256<int> last, Vector256<int> x, Vector256<int> y) => Avx2.MultiplyAddAdjacent(last.AsInt16(), x.AsInt16()) + y;

        public static Vector256<int> Combine(Vector256<int> left, Vector256<int> right) => left + right;
    }

    private readonly struct Step128 : IChainStep<Vector128<int>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<int> Next(Vector128<int> last, Vector128<int> x, Vector128<int> y) => Pairs(last.AsInt16(), x.AsInt16()) + y;

        public static Vector128<int> Combine(Vector128<int> left, Vector128<int> right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<int> Pairs(Vector128<short> x, Vector128<short> y) => Sse2.IsSupported
            ? Sse2.MultiplyAddAdjacent(x, y)
            : Vector128.WidenLower(x * y) + Vector128.WidenUpper(x * y);
    }
}
