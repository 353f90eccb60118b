using System.Runtime.InteropServices;
using CommunityToolkit.HighPerformance;

namespace Kernels.Tests;

/// <summary>What kernels do to memory: guarded, without allocation, the same bits on any number of threads and in any company.</summary>
public abstract class MixedPrecisionGemmMemoryTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => MixedPrecisionGemmCases.Variants<T>();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsTouchedBeyondTheSpans(string variant)
    {
        Skip.IfNot(GuardedMemory<T>.IsSupported, "guard pages are set with mmap and mprotect as Linux numbers their flags");
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 1, 1), (1, 65, 96), (3, 63, 31), (7, 130, 128), (9, 17, 200) })
        {
            foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
            {
                KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, type);
                QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(type, QuantizationFormat.WholeColumn));
                foreach (bool guardAfter in new[] { true, false })
                {
                    using GuardedMemory<T> activations = new(rows * inputs, guardAfter), output = new(rows * outputs, guardAfter);
                    using GuardedMemory<float> bias = new(outputs, guardAfter);
                    MixedPrecisionGemmCases.Activations<T>(rows * inputs, 1).CopyTo(activations.Span);
                    foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.ArithmeticsOf(variant))
                    {
                        T[] expected = MixedPrecisionGemmCases.Multiply<T>(activations.Span, weights, arithmetic, kernel);
                        MixedPrecisionGemm.Multiply<T>(activations.Span, weights, output.Span,
                            new() { Arithmetic = arithmetic, Bias = bias.Span, Kernel = kernel });
                        AssertSameBits(expected, output.Span);
                    }
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NeitherThreadsNorBatchMatesChangeABit(string variant)
    {
        // More rows than a block of the driver, more panels than threads.
        const int rows = 140, outputs = 300, inputs = 192;
        foreach (QuantizedType type in MixedPrecisionGemmCases.Types)
        {
            QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(type, 96));
            T[] activations = MixedPrecisionGemmCases.Activations<T>(rows * inputs, 5);
            foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.ArithmeticsOf(variant))
            {
                T[] expected = MixedPrecisionGemmCases.Multiply<T>(activations, weights, arithmetic, MixedPrecisionGemmCases.Force<T>(variant, type));
                foreach (int threads in new[] { 2, 3, 7 })
                    AssertSameBits<T>(expected, MixedPrecisionGemmCases.Multiply<T>(activations, weights, arithmetic,
                        MixedPrecisionGemmCases.Force<T>(variant, type, threads)));
                // Alone, and in small companies that end before, at and after a tile.
                foreach ((int first, int count) in new[] { (0, 1), (139, 1), (127, 2), (3, 4), (1, 5), (50, 6), (64, 7), (7, 129) })
                {
                    T[] few = MixedPrecisionGemmCases.Multiply<T>(activations.AsSpan(first * inputs, count * inputs), weights, arithmetic,
                        MixedPrecisionGemmCases.Force<T>(variant, type));
                    AssertSameBits<T>(expected.AsSpan(first * outputs, count * outputs), few);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void GapsBetweenRowsStayAsTheyAre(string variant)
    {
        const int rows = 131, outputs = 70, inputs = 96, gap = 5;
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(outputs, inputs, new(QuantizedType.U4, 32));
        T[] activations = MixedPrecisionGemmCases.Activations<T>(rows * (inputs + gap), 3),
            output = MixedPrecisionGemmCases.Activations<T>(rows * (outputs + gap), 4), before = [.. output];
        T[] dense = [.. Enumerable.Range(0, rows * inputs).Select(i => activations[i / inputs * (inputs + gap) + i % inputs])];
        foreach (GemmArithmetic arithmetic in MixedPrecisionGemmCases.ArithmeticsOf(variant))
        {
            KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, QuantizedType.U4);
            T[] product = MixedPrecisionGemmCases.Multiply<T>(dense, weights, arithmetic, kernel);
            MixedPrecisionGemm.Multiply(
                new ReadOnlySpan2D<T>(activations, 0, rows, inputs, gap), weights, new Span2D<T>(output, 0, rows, outputs, gap),
                new() { Arithmetic = arithmetic, Kernel = kernel });
            T[] expected = [.. before.Select((value, i) => i % (outputs + gap) < outputs ? product[i / (outputs + gap) * outputs + i % (outputs + gap)]
                : value)];
            AssertSameBits<T>(expected, output);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsAllocated(string variant)
    {
        Skip.IfNot(MixedPrecisionGemmCases.IsAvailable<T>(variant), "the runtime's vectors in software allocate until they are compiled a second time");
        QuantizedWeights weights = MixedPrecisionGemmCases.Weights(200, 256, new());
        T[] activations = MixedPrecisionGemmCases.Activations<T>(9 * 256, 1), output = new T[9 * 200];
        GemmArithmetic[] arithmetics = MixedPrecisionGemmCases.ArithmeticsOf(variant);
        foreach (int threads in new[] { 1, 2 })
        {
            KernelOptions kernel = MixedPrecisionGemmCases.Force<T>(variant, QuantizedType.U4, threads);
            Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
            {
                foreach (GemmArithmetic arithmetic in arithmetics)
                {
                    MixedPrecisionGemm.Multiply<T>(activations, weights, output, new() { Arithmetic = arithmetic, Kernel = kernel });
                    MixedPrecisionGemm.Multiply<T>(activations.AsSpan(0, 256), weights, output, new() { Arithmetic = arithmetic, Kernel = kernel });
                }
            }));
        }
    }

    private static void AssertSameBits<TElement>(ReadOnlySpan<TElement> expected, ReadOnlySpan<TElement> actual) where TElement : unmanaged
    {
        ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(expected), b = MemoryMarshal.AsBytes(actual);
        int common = a.CommonPrefixLength(b);
        Assert.True(common == a.Length && common == b.Length, $"byte {common} of {a.Length} and {b.Length} differs");
    }
}

public sealed class MixedPrecisionGemmMemoryTestsF32 : MixedPrecisionGemmMemoryTests<float>;

public sealed class MixedPrecisionGemmMemoryTestsF16 : MixedPrecisionGemmMemoryTests<Half>;

public sealed class MixedPrecisionGemmMemoryTestsBF16 : MixedPrecisionGemmMemoryTests<BrainFloat16>;
