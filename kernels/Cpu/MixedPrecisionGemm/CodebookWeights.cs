using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>The 16 numbers of a codebook, at an address that stays.</summary>
internal unsafe interface ICodebook
{
    static abstract float* Numbers { get; }
}

/// <summary><see cref="QuantizedType.Nf4"/>.</summary>
internal readonly unsafe struct Nf4Codebook : ICodebook
{
    public static float* Numbers { get; } = CodebookMemory.Of(QuantizedType.Nf4);
}

/// <summary><see cref="QuantizedType.Fp4"/>.</summary>
internal readonly unsafe struct Fp4Codebook : ICodebook
{
    public static float* Numbers { get; } = CodebookMemory.Of(QuantizedType.Fp4);
}

internal static unsafe class CodebookMemory
{
    /// <summary>A copy of the table for the life of the process, one cache line.</summary>
    public static float* Of(QuantizedType type)
    {
        var numbers = (float*)NativeMemory.AlignedAlloc(Codebook.Length * sizeof(float), QuantizedWeightsLayout.Alignment);
        Codebook.Of(type).CopyTo(new Span<float>(numbers, Codebook.Length));
        return numbers;
    }
}

/// <summary>
/// Two indices into a codebook in a byte: <see cref="U4Weights"/> with a table for the conversion to float. There are no integers to multiply.
/// </summary>
internal readonly unsafe struct CodebookWeights<TCodebook> : IWeightFormat where TCodebook : struct, ICodebook
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int StepBytes => U4Weights.StepBytes;

    [MethodImpl(Inline)]
    public static V First<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V> => U4Weights.First<V, TSimd>(step);

    [MethodImpl(Inline)]
    public static V Second<V, TSimd>(byte* step) where V : unmanaged where TSimd : struct, IGemmSimd<V> => U4Weights.Second<V, TSimd>(step);

    [MethodImpl(Inline)]
    public static V ToSingle<V, TSimd>(V bytes, int index) where V : unmanaged where TSimd : struct, IGemmSimd<V> =>
        TSimd.LookUp(bytes, index, TCodebook.Numbers);

    public static int StepsPerFlush<V, TDot>() where V : unmanaged where TDot : struct, IGemmDot<V> => throw NoIntegers;

    public static V Add<V, TDot>(V partial, V weights, V activations) where V : unmanaged where TDot : struct, IGemmDot<V> => throw NoIntegers;

    public static V Flush<V, TDot>(V total, V partial) where V : unmanaged where TDot : struct, IGemmDot<V> => throw NoIntegers;

    private static NotSupportedException NoIntegers => new($"{typeof(TCodebook).Name} holds no integers; the door refuses eight-bit arithmetic");
}
