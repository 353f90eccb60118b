using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Cpu.Simd;

namespace Kernels.Perf;

/// <summary>
/// The rate of a GRU step's transcendental functions alone, two logistic and one hyperbolic tangent for each channel, on independent numbers in the level 1
/// cache.
/// </summary>
internal static class TranscendentalRoof
{
    private const int Elements = 2048, Repeats = 200, Rounds = 9;

    private static readonly float[] s_numbers = [.. Enumerable.Range(0, Elements).Select(i => MathF.Sin(i))];

    /// <summary>Channel steps a second on one core: the best of several rounds.</summary>
    public static double PerSecond { get; } = Elements * Repeats / Enumerable.Range(0, Rounds).Min(_ => Seconds());

    private static double Seconds()
    {
        long start = Stopwatch.GetTimestamp();
        if (Vector512.IsHardwareAccelerated)
            Run<Simd512<float>, Vector512<float>>(s_numbers);
        else if (Vector256.IsHardwareAccelerated)
            Run<Simd256<float>, Vector256<float>>(s_numbers);
        else
            Run<Simd128<float>, Vector128<float>>(s_numbers);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, V>(float[] numbers)
        where TSimd : struct, ISimd<V, float>
        where V : unmanaged
    {
        ref float first = ref numbers[0];
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            for (int i = 0; i < Elements; i += TSimd.Count)
            {
                V x = TSimd.Load(ref first, (nuint)i);
                V z = LogisticSigmoid<TSimd, V, float>.Evaluate(x), r = LogisticSigmoid<TSimd, V, float>.Evaluate(TSimd.Add(x, x));
                TSimd.Store(TSimd.Add(TSimd.Add(z, r), HyperbolicTangent<TSimd, V, float>.Evaluate(x)), ref first, (nuint)i);
            }
        }
    }
}
