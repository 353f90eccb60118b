namespace Kernels.Tests;

/// <summary>What kernels do to memory: guarded, without allocation, the same bits on any number of threads and in any company.</summary>
public abstract class Int8DecompositionMemoryTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => Int8DecompositionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsTouchedBeyondTheSpans(string variant)
    {
        Skip.IfNot(GuardedMemory<T>.IsSupported, "guard pages are set with mmap and mprotect as Linux numbers their flags");
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant), forInt8 = Int8DecompositionCases.Force<float>(variant);
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 1, 1), (3, 33, 31), (7, 65, 130) })
        {
            Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
            foreach (bool guardAfter in new[] { true, false })
            {
                using GuardedMemory<T> activations = new(rows * inputs, guardAfter), output = new(rows * outputs, guardAfter);
                using GuardedMemory<float> bias = new(outputs, guardAfter), absMax = new(rows, guardAfter);
                using GuardedMemory<sbyte> values = new(rows * inputs, guardAfter);
                using GuardedMemory<int> products = new(rows * outputs, guardAfter);
                Int8DecompositionCases.Activations<T>(rows, inputs, 1).CopyTo(activations.Span);
                foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
                {
                    T[] expected = Int8DecompositionCases.Multiply<T>(activations.Span.ToArray(), weights, kernel, scope: scope);
                    Int8Decomposition.Multiply<T>(activations.Span, weights, output.Span, new() { Outliers = scope, Bias = bias.Span, Kernel = kernel });
                    Int8DecompositionCases.AssertSameBits<T>(expected, output.Span);
                }
                Int8Decomposition.QuantizeRows<T>(activations.Span, inputs, values.Span, absMax.Span, 6, kernel);
                Int8Decomposition.MultiplyInt8(values.Span, weights, products.Span, forInt8);
                Int8Decomposition.DequantizeProduct<T>(products.Span, absMax.Span, Int8DecompositionCases.AbsMaxOf(weights), output.Span, bias.Span, kernel);
                Int8Decomposition.Dequantize<T>(values.Span, inputs, absMax.Span, activations.Span, kernel);
                using GuardedMemory<float> columnMax = new(inputs, guardAfter), weightGradient = new(outputs * inputs, guardAfter);
                Int8Decomposition.QuantizeColumns<T>(activations.Span, inputs, values.Span, columnMax.Span, 6, kernel);
                using GuardedMemory<T> inputGradient = new(rows * inputs, guardAfter);
                new Int8Linear(weights).Backward<T>(output.Span, activations.Span, inputGradient.Span, weightGradient.Span, bias.Span,
                    kernel with { Variant = null });
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NeitherThreadsNorBatchMatesChangeABit(string variant)
    {
        // More rows than a block of the driver, and fewer panels than threads times four.
        const int rows = 200, outputs = 70, inputs = 100;
        Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
        T[] activations = Int8DecompositionCases.Activations<T>(rows, inputs, 5);
        foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
        {
            T[] expected = Int8DecompositionCases.Multiply<T>(activations, weights, Int8DecompositionCases.Force<T>(variant), scope: scope);
            foreach (int threads in new[] { 2, 3, 7 })
                Int8DecompositionCases.AssertSameBits<T>(expected,
                    Int8DecompositionCases.Multiply<T>(activations, weights, Int8DecompositionCases.Force<T>(variant, threads), scope: scope));
            if (scope == OutlierScope.BatchColumns)
                continue;
            // Alone, and in small companies that end before, at and after a tile.
            foreach ((int first, int count) in new[] { (0, 1), (199, 1), (127, 2), (3, 4), (1, 5), (50, 6), (64, 7), (2, 198) })
            {
                T[] few = Int8DecompositionCases.Multiply<T>(activations.AsSpan(first * inputs, count * inputs), weights,
                    Int8DecompositionCases.Force<T>(variant));
                Int8DecompositionCases.AssertSameBits<T>(expected.AsSpan(first * outputs, count * outputs), few);
            }
        }
    }

    [Fact]
    public void UnitedColumnsDependOnTheBatch()
    {
        // What the compatible mode documents: a batch mate's outlier takes its column out of every row's integers.
        T[] activations = Element.From<T>([0.3, 1, -0.7, 0.2, 8, 0.1]);
        Int8Weights weights = Int8Weights.Pack([0.9f, 0.31f, -0.77f], 1, 3);
        double alone = Element.ToDouble(Int8DecompositionCases.Multiply<T>(activations.AsSpan(0, 3), weights, default, scope: OutlierScope.BatchColumns)[0]);
        double together = Element.ToDouble(Int8DecompositionCases.Multiply<T>(activations, weights, default, scope: OutlierScope.BatchColumns)[0]);
        double invariant = Element.ToDouble(Int8DecompositionCases.Multiply<T>(activations, weights, default)[0]);
        Assert.Equal(alone, invariant);
        Assert.Equal(alone, together, 0.01);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsAllocated(string variant)
    {
        Skip.IfNot(Int8DecompositionCases.IsAvailable<T>(variant), "the runtime's vectors in software allocate until they are compiled a second time");
        Int8Weights weights = Int8DecompositionCases.Weights(100, 256);
        T[] activations = Int8DecompositionCases.Activations<T>(9, 256, 1), output = new T[9 * 100], gradient = new T[9 * 256];
        var values = new sbyte[9 * 256];
        var absMax = new float[9];
        var products = new int[9 * 100];
        var layer = new Int8Linear(weights);
        foreach (int threads in new[] { 1, 2 })
        {
            KernelOptions kernel = Int8DecompositionCases.Force<T>(variant, threads), forInt8 = Int8DecompositionCases.Force<float>(variant, threads);
            Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
            {
                Int8Decomposition.Multiply<T>(activations, weights, output, new() { Kernel = kernel });
                Int8Decomposition.Multiply<T>(activations, weights, output, new() { Outliers = OutlierScope.BatchColumns, Kernel = kernel });
                Int8Decomposition.QuantizeRows<T>(activations, 256, values, absMax, 6, kernel);
                Int8Decomposition.MultiplyInt8(values, weights, products, forInt8);
                layer.Backward<T>(output, default, gradient, options: kernel with { Variant = null });
            }));
        }
    }
}

public sealed class Int8DecompositionMemoryTestsF32 : Int8DecompositionMemoryTests<float>;

public sealed class Int8DecompositionMemoryTestsF16 : Int8DecompositionMemoryTests<Half>;

public sealed class Int8DecompositionMemoryTestsBF16 : Int8DecompositionMemoryTests<BrainFloat16>;
