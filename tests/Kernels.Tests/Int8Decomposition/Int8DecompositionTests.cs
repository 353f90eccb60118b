namespace Kernels.Tests;

/// <summary>The whole product against the definition, on every variant and type.</summary>
public abstract class Int8DecompositionTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => Int8DecompositionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void IsTheDefinition(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        foreach ((int rows, int outputs, int inputs) in new[] { (1, 1, 1), (1, 33, 100), (2, 64, 31), (5, 31, 70), (7, 40, 130), (13, 65, 66), (20, 7, 520) })
        {
            Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
            T[] activations = Int8DecompositionCases.Activations<T>(rows, inputs, rows);
            float[] bias = Int8DecompositionCases.Normal(outputs, 9);
            foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
            {
                foreach (float threshold in new[] { 0f, 2f, 6f })
                {
                    T[] actual = Int8DecompositionCases.Multiply<T>(activations, weights, kernel, threshold, scope, bias);
                    Int8DecompositionOracle.Check<T>(activations, weights, threshold, scope, bias, actual,
                        $"{scope}, threshold {threshold}, {rows} x {outputs} x {inputs}");
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void WithoutOutliersItIsItsParts(string variant)
    {
        const int rows = 9, outputs = 45, inputs = 77;
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
        T[] activations = Element.From<T>(Int8DecompositionCases.Normal(rows * inputs, 3).Select(x => (double)x)), output = new T[rows * outputs];
        float[] bias = Int8DecompositionCases.Normal(outputs, 2), absMax = new float[rows];
        var values = new sbyte[activations.Length];
        var products = new int[output.Length];
        Int8Decomposition.QuantizeRows<T>(activations, inputs, values, absMax, 0, kernel);
        Int8Decomposition.MultiplyInt8(values, weights, products, Int8DecompositionCases.Force<float>(variant));
        Int8Decomposition.DequantizeProduct<T>(products, absMax, Int8DecompositionCases.AbsMaxOf(weights), output, bias, kernel);
        Int8DecompositionCases.AssertSameBits<T>(Int8DecompositionCases.Multiply<T>(activations, weights, kernel, threshold: 0, bias: bias), output);
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingButOutliersIsAFloatProduct(string variant)
    {
        const int rows = 8, outputs = 34, inputs = 41;
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
        T[] activations = Element.From<T>(Int8DecompositionCases.Normal(rows * inputs, 4).Select(x => x + 100.0));
        foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
            Int8DecompositionOracle.Check<T>(activations, weights, 6, scope, null, Int8DecompositionCases.Multiply<T>(activations, weights, kernel, 6, scope),
                $"{scope}");
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ZerosGiveTheBias(string variant)
    {
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        float[] bias = [1, -2, 3];
        T[] output = Int8DecompositionCases.Multiply<T>(new T[2 * 5], Int8DecompositionCases.Weights(3, 5), kernel, bias: bias);
        Assert.Equal([1, -2, 3, 1, -2, 3], Element.ToDoubles<T>(output));
        Assert.All(Element.ToDoubles<T>(Int8DecompositionCases.Multiply<T>(new T[2 * 5], Int8DecompositionCases.Weights(3, 5), kernel)), value =>
            Assert.Equal(0, value));
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void WhatIsNotANumberStaysInItsRow(string variant)
    {
        const int rows = 8, outputs = 33, inputs = 50;
        KernelOptions kernel = Int8DecompositionCases.Force<T>(variant);
        Int8Weights weights = Int8Weights.Pack([.. Enumerable.Repeat(0.5f, outputs * inputs)], outputs, inputs);
        T[] activations = Int8DecompositionCases.Activations<T>(rows, inputs, 8), spoilt = [.. activations];
        spoilt[3 * inputs + 7] = Element.FromDouble<T>(double.NaN);
        spoilt[5 * inputs + 49] = Element.FromDouble<T>(double.PositiveInfinity);
        foreach (float threshold in new[] { 0f, 6f })
        {
            T[] expected = Int8DecompositionCases.Multiply<T>(activations, weights, kernel, threshold),
                actual = Int8DecompositionCases.Multiply<T>(spoilt, weights, kernel, threshold);
            for (int i = 0; i < actual.Length; i++)
            {
                double value = Element.ToDouble(actual[i]);
                if (i / outputs == 3)
                    Assert.True(double.IsNaN(value));
                else
                    Assert.Equal(i / outputs == 5 ? double.PositiveInfinity : Element.ToDouble(expected[i]), value);
            }
        }
    }
}

public sealed class Int8DecompositionTestsF32 : Int8DecompositionTests<float>
{
    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NumbersBeyondHalfPrecisionAreOrdinary(string variant)
    {
        // bitsandbytes casts activations to f16 first, where these are infinite.
        float[] activations = [1e6f, -2e6f, 3e30f, 1];
        Int8Weights weights = Int8Weights.Pack([1, 1, 1, 1, 0.5f, 0, -1, 0], 2, 4);
        KernelOptions kernel = Int8DecompositionCases.Force<float>(variant);
        foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
            Int8DecompositionOracle.Check<float>(activations, weights, 6, scope, null,
                Int8DecompositionCases.Multiply<float>(activations, weights, kernel, 6, scope), $"{scope}");
    }

    [Fact]
    public void TheConstantIsExact()
    {
        // 127 * 127 ones of scale 127: 1/127^2 in limited precision shows here, at 1.8e-5 relative in bitsandbytes' default back end.
        float[] output = new float[1];
        Int8Decomposition.DequantizeProduct<float>([127 * 127 * 1000], [1], [1], output);
        Assert.Equal(1000, output[0], 3 * 1000 / (float)(1 << 24));
    }

    [Fact]
    public void TolerancesOfBitsandbytes()
    {
        // Its own tests of Linear8bitLt: 3 rows, 1024 -> 3072, threshold 6: all within 0.03 and all but 0.025 % within 0.02 of the float layer.
        const int rows = 3, inputs = 1024, outputs = 3072;
        var random = new Random(1);
        float bound = 1 / MathF.Sqrt(inputs); // of the uniform numbers that a torch Linear starts with
        float[] weights = [.. Enumerable.Range(0, outputs * inputs).Select(_ => (2 * random.NextSingle() - 1) * bound)],
            activations = Int8DecompositionCases.Normal(rows * inputs, 2);
        float[] actual = Int8DecompositionCases.Multiply<float>(activations, Int8Weights.Pack(weights, outputs, inputs), default);
        int beyond = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double expected = 0;
            for (int input = 0; input < inputs; input++)
                expected += (double)activations[i / outputs * inputs + input] * weights[i % outputs * inputs + input];
            double error = Math.Abs(actual[i] - expected);
            Assert.InRange(error, 0, 0.03);
            beyond += error > 0.02 ? 1 : 0;
        }
        Assert.InRange(beyond, 0, 2.5e-4 * actual.Length);
    }

    [Fact]
    public void OneHugeElementDoesNotSpoilItsRow()
    {
        // bitsandbytes' test matrix: 10 x 20 with one element of 1000; without decomposition the rest of its row is lost.
        const int rows = 10, inputs = 20, outputs = 8;
        float[] activations = Int8DecompositionCases.Normal(rows * inputs, 5), weights = Int8DecompositionCases.Normal(outputs * inputs, 6);
        activations[inputs] = 1000;
        Int8Weights packed = Int8Weights.Pack(weights, outputs, inputs);
        double plain = Error(0), decomposed = Error(6);
        Assert.True(decomposed < 0.1 * plain, $"{decomposed} with, {plain} without decomposition");

        double Error(float threshold)
        {
            float[] actual = Int8DecompositionCases.Multiply<float>(activations.AsSpan(inputs, inputs), packed, default, threshold);
            var exact = new float[outputs * inputs];
            packed.Dequantize(exact);
            return Enumerable.Range(0, outputs)
                .Max(output => Math.Abs(actual[output] - Enumerable.Range(0, inputs).Sum(i => (double)activations[inputs + i] * exact[output * inputs + i])));
        }
    }
}

public sealed class Int8DecompositionTestsF16 : Int8DecompositionTests<Half>;

public sealed class Int8DecompositionTestsBF16 : Int8DecompositionTests<BrainFloat16>;
