using System.Runtime.InteropServices;
using CommunityToolkit.HighPerformance;

namespace Kernels.Tests;

/// <summary>What kernels do to memory: in place, guarded, strided, unaligned, without allocation, and the same bits on any number of threads.</summary>
public abstract class SoftmaxMemoryTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => SoftmaxCases.Variants<T>();

    private static readonly int[] s_lengths = [1, 3, 15, 16, 17, 63, 64, 65, 127, 1000, 4096, 8193, 70_000];

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void InPlaceGivesTheSameBits(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in s_lengths)
        {
            T[] logits = SoftmaxCases.Logits<T>(2 * length, 5, length), mask = SoftmaxCases.Logits<T>(length, 1, 2);
            var options = new SoftmaxOptions<T> { Kernel = kernel, AdditiveMask = mask, Scale = 0.5 };
            var separate = new T[logits.Length];
            T[] inPlace = [.. logits], plainInPlace = [.. logits], plain = new T[logits.Length];
            Softmax.Compute<T>(logits, separate, length, options);
            Softmax.Compute<T>(inPlace, inPlace, length, options);
            AssertSameBits<T>(separate, inPlace);
            Softmax.Compute<T>(logits, plain, length, new() { Kernel = kernel });
            Softmax.Compute<T>(plainInPlace, plainInPlace, length, new() { Kernel = kernel });
            AssertSameBits<T>(plain, plainInPlace);
            inPlace = [.. logits];
            Softmax.LogSoftmax<T>(logits, separate, length, options);
            Softmax.LogSoftmax<T>(inPlace, inPlace, length, options);
            AssertSameBits<T>(separate, inPlace);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingBeyondTheSpansIsTouched(string variant)
    {
        Skip.IfNot(GuardedMemory<T>.IsSupported, "guard pages are set with mmap and mprotect as Linux numbers their flags");
        KernelOptions kernel = SoftmaxCases.Force(variant);
        foreach (int length in s_lengths.Concat(Enumerable.Range(1, 70)))
        {
            foreach (bool guardAfter in new[] { true, false })
            {
                using GuardedMemory<T> logits = new(length, guardAfter), results = new(length, guardAfter), mask = new(length, guardAfter),
                    values = new(1, guardAfter);
                using GuardedMemory<bool> booleanMask = new(length, guardAfter);
                using GuardedMemory<int> indices = new(1, guardAfter);
                SoftmaxCases.Logits<T>(length, 5, length).CopyTo(logits.Span);
                booleanMask.Span.Fill(true);
                var options = new SoftmaxOptions<T> { Kernel = kernel, AdditiveMask = mask.Span, BooleanMask = booleanMask.Span };
                var expected = new T[length];
                Softmax.Compute<T>(logits.Span.ToArray(), expected, length, new() { Kernel = kernel });
                Softmax.Compute(logits.Span, results.Span, length, new() { Kernel = kernel });
                AssertSameBits<T>(expected, results.Span);
                Softmax.Compute(logits.Span, results.Span, length, options);
                AssertSameBits<T>(expected, results.Span);
                Softmax.Backward(logits.Span, results.Span, results.Span, length, new() { Kernel = kernel });
                Softmax.LogSoftmax(logits.Span, results.Span, length, options);
                Softmax.LogSumExp(logits.Span, values.Span, length, options);
                Softmax.TopK(logits.Span, values.Span, indices.Span, length, 1, options);
                Softmax.Compute(logits.Span, results.Span, [length, 1], 0, new() { Kernel = kernel });
                Softmax.LogBackward(logits.Span, results.Span, results.Span, length, new() { Kernel = kernel });
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RowStridesSkipWhatLiesBetween(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant);
        const int rows = 5, columns = 37, inputStride = 41, outputStride = 50;
        T[] logits = SoftmaxCases.Logits<T>(rows * inputStride, 3, 1), packed = new T[rows * columns], expected = new T[rows * columns];
        T[] strided = new T[rows * outputStride], sums = new T[rows], expectedSums = new T[rows];
        T marker = Element.FromDouble<T>(7);
        Array.Fill(strided, marker);
        var input = new ReadOnlySpan2D<T>(logits, 0, rows, columns, inputStride - columns);
        var output = new Span2D<T>(strided, 0, rows, columns, outputStride - columns);
        input.CopyTo(packed);
        Softmax.Compute<T>(packed, expected, columns, new() { Kernel = kernel });
        Softmax.LogSumExp<T>(packed, expectedSums, columns, new() { Kernel = kernel });
        Softmax.Compute(input, output, new() { Kernel = kernel });
        Softmax.LogSumExp(input, sums, new() { Kernel = kernel });
        AssertSameBits<T>(expectedSums, sums);
        for (int i = 0; i < strided.Length; i++)
        {
            int row = i / outputStride, column = i % outputStride;
            T wanted = column < columns ? expected[row * columns + column] : marker;
            Assert.Equal(Element.ToDouble(wanted), Element.ToDouble(strided[i]));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ThreadsDoNotChangeABit(string variant)
    {
        // One row cut into chunks; few long rows; many short ones; columns.
        foreach ((int rows, int length) in new[] { (1, 200_001), (2, 70_000), (200, 517) })
        {
            T[] logits = SoftmaxCases.Logits<T>(rows * length, 6, rows);
            T[][] outputs = [.. new[] { 1, 2, 3, 7 }.Select(threads => AllOperations(logits, rows, length, SoftmaxCases.Force(variant, threads)))];
            foreach (T[] other in outputs[1..])
                AssertSameBits<T>(outputs[0], other);
        }
    }

    private static T[] AllOperations(T[] logits, int rows, int length, KernelOptions kernel)
    {
        var options = new SoftmaxOptions<T> { Kernel = kernel };
        T[] probabilities = new T[logits.Length], logarithms = new T[logits.Length], sums = new T[rows], columns = new T[logits.Length],
            gradient = new T[logits.Length], top = new T[3 * rows];
        Softmax.Compute(logits, probabilities, length, options);
        Softmax.LogSoftmax(logits, logarithms, length, options);
        Softmax.LogSumExp(logits, sums, length, options);
        Softmax.Compute(logits, columns, [rows, length], 0, options);
        Softmax.Backward<T>(logits, probabilities, gradient, length, new() { Kernel = kernel });
        Softmax.TopK(logits, top, new int[3 * rows], length, 3, options);
        return [.. probabilities, .. logarithms, .. sums, .. columns, .. gradient, .. top];
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ARowDoesNotDependOnItsBatchMates(string variant)
    {
        KernelOptions kernel = SoftmaxCases.Force(variant, threads: 2);
        foreach ((int length, double spread, double shift) in new[] { (700, 5, 0), (20_000, 5, 0), (20_000, 300, -800), (70_000, 200, 900.0) })
        {
            const int rows = 9;
            T[] logits = Element.From<T>(Element.ToDoubles<T>(SoftmaxCases.Logits<T>(rows * length, spread, length)).Select(x => x + shift));
            T[] together = new T[logits.Length], alone = new T[length];
            Softmax.Compute<T>(logits, together, length, new() { Kernel = kernel });
            for (int row = 0; row < rows; row++)
            {
                Softmax.Compute<T>(logits.AsSpan(row * length, length), alone, length, new() { Kernel = kernel });
                AssertSameBits<T>(alone, together.AsSpan(row * length, length));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void StreamedOutputIsWrittenInFull(string variant)
    {
        // Beyond the size from which outputs go past the caches, at every alignment of the output, for rows that fit the scratch and rows that do not.
        KernelOptions kernel = SoftmaxCases.Force(variant, threads: 2);
        const int streamedShareOfLastLevel = 8; // SoftmaxTuning.StreamedOutputBytes
        int total = (int)(Math.Min(MachineInfo.Current.Level3Bytes, 64 << 20) / streamedShareOfLastLevel / Marshal.SizeOf<T>()) + 70_000;
        foreach (int length in new[] { 4001, 60_001 })
        {
            int rows = total / length;
            T[] logits = SoftmaxCases.Logits<T>(length, 4, 1), expected = new T[length], all = new T[rows * length], output = new T[rows * length + 1];
            for (int row = 0; row < rows; row++)
                logits.CopyTo(all, row * length);
            Softmax.Compute<T>(logits, expected, length, new() { Kernel = kernel });
            Softmax.Compute<T>(all, output.AsSpan(1), length, new() { Kernel = kernel });
            // Not a bit tells that the row stood alone or among so many that they were streamed.
            for (int row = 0; row < rows; row++)
                AssertSameBits<T>(expected, output.AsSpan(1 + row * length, length));
        }
    }

    private static void AssertSameBits<TElement>(ReadOnlySpan<TElement> expected, ReadOnlySpan<TElement> actual) where TElement : unmanaged
    {
        ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(expected), b = MemoryMarshal.AsBytes(actual);
        int common = a.CommonPrefixLength(b);
        Assert.True(common == a.Length && common == b.Length, $"byte {common} of {a.Length} and {b.Length} differs");
    }
}

public sealed class SoftmaxMemoryTestsF32 : SoftmaxMemoryTests<float>;

public sealed class SoftmaxMemoryTestsF64 : SoftmaxMemoryTests<double>;

public sealed class SoftmaxMemoryTestsF16 : SoftmaxMemoryTests<Half>;

public sealed class SoftmaxMemoryTestsBF16 : SoftmaxMemoryTests<BrainFloat16>;
