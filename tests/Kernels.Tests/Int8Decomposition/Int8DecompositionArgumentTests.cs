using System.Runtime.InteropServices;

namespace Kernels.Tests;

/// <summary>Bad arguments are refused by name before a byte is written.</summary>
public sealed class Int8DecompositionArgumentTests
{
    private const int Rows = 2, Outputs = 6, Inputs = 8;
    private const float Untouched = 42;

    public static TheoryData<string, string> BadCalls => new()
    {
        { "activations are no whole rows", "activations" },
        { "output too short", "output" },
        { "output overlaps activations", "output" },
        { "output overlaps bias", "output" },
        { "no weights", "weights" },
        { "bias of other length", "Bias" },
        { "threshold NaN", "Threshold" },
        { "threshold negative", "Threshold" },
        { "threshold infinite", "Threshold" },
        { "unknown scope", "Outliers" },
        { "negative parallelism", "MaxDegreeOfParallelism" },
        { "unknown variant", "Variant" },
        { "variant of another type", "Variant" },
        { "pack: weights of other size", "weights" },
        { "pack: NaN weight", "weights" },
        { "pack: infinite weight", "weights" },
        { "pack: no outputs", "outputCount" },
        { "pack: no inputs", "inputCount" },
        { "pack: inputs beyond the exact range", "inputCount" },
        { "quantised: too few values", "values" },
        { "quantised: too few scales", "absMax" },
        { "quantised: NaN scale", "absMax" },
        { "quantised: negative scale", "absMax" },
        { "integers: no whole rows", "values" },
        { "integers: products too short", "products" },
        { "integers: products overlap values", "products" },
        { "integers: beyond int32", "values" },
        { "rows: no columns", "columnCount" },
        { "rows: no whole rows", "matrix" },
        { "rows: too few values", "values" },
        { "rows: stats too short", "absMax" },
        { "rows: threshold NaN", "threshold" },
        { "columns: stats too short", "absMax" },
        { "double: column values overlap row values", "columnValues" },
        { "dequantise: stats of other length", "absMax" },
        { "dequantise: matrix too short", "matrix" },
        { "dequantise: negative stats", "absMax" },
        { "product: stats do not match", "products" },
        { "product: NaN row stats", "rowAbsMax" },
        { "product: bias of other length", "bias" },
        { "product: output too short", "output" },
        { "find: too little room", "columns" },
        { "layer: bias of other length", "bias" },
        { "layer: threshold negative", "threshold" },
        { "layer: unknown scope", "outliers" },
        { "backward: no whole rows", "outputGradient" },
        { "backward: weight gradient without input", "input" },
        { "backward: input gradient too short", "inputGradient" },
        { "backward: weight gradient too short", "weightGradient" },
        { "backward: bias gradient too short", "biasGradient" },
        { "backward: input gradient overlaps", "inputGradient" },
    };

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void IsRefusedByName(string call, string parameter)
    {
        float[] shared = [.. Enumerable.Repeat(Untouched, Rows * Inputs + 1)], output = [.. Enumerable.Repeat(Untouched, Rows * Outputs)];
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => Make(call, shared, output));
        Assert.Equal(parameter, refused.ParamName);
        Assert.All(shared.Concat(output), value => Assert.Equal(Untouched, value));
    }

    private static void Make(string call, float[] shared, float[] output)
    {
        Span<float> activations = shared.AsSpan(0, Rows * Inputs);
        Span<sbyte> bytes = MemoryMarshal.Cast<float, sbyte>(shared.AsSpan());
        float[] weights = Int8DecompositionCases.Normal(Outputs * Inputs, 1), stats = [.. Enumerable.Repeat(1f, Outputs)], two = [1, 1];
        var values = new sbyte[Outputs * Inputs];
        Int8Weights packed = Int8Weights.Pack(weights, Outputs, Inputs);
        var layer = new Int8Linear(packed);
        switch (call)
        {
            case "activations are no whole rows": Int8Decomposition.Multiply<float>(shared, packed, output); break;
            case "output too short": Int8Decomposition.Multiply<float>(activations, packed, output.AsSpan(1)); break;
            case "output overlaps activations": Int8Decomposition.Multiply<float>(activations, packed, shared.AsSpan(3)); break;
            case "output overlaps bias": Int8Decomposition.Multiply<float>(activations, packed, output, new() { Bias = output.AsSpan(0, Outputs) }); break;
            case "no weights": Int8Decomposition.Multiply<float>(activations, null!, output); break;
            case "bias of other length": Int8Decomposition.Multiply<float>(activations, packed, output, new() { Bias = new float[Outputs + 1] }); break;
            case "threshold NaN": Int8Decomposition.Multiply<float>(activations, packed, output, new() { Threshold = float.NaN }); break;
            case "threshold negative": Int8Decomposition.Multiply<float>(activations, packed, output, new() { Threshold = -1 }); break;
            case "threshold infinite": Int8Decomposition.Multiply<float>(activations, packed, output, new() { Threshold = float.PositiveInfinity }); break;
            case "unknown scope": Int8Decomposition.Multiply<float>(activations, packed, output, new() { Outliers = (OutlierScope)7 }); break;
            case "negative parallelism":
                Int8Decomposition.Multiply<float>(activations, packed, output,
                new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }); break;
            case "unknown variant":
                Int8Decomposition.Multiply<float>(activations, packed, output,
                new() { Kernel = new() { Variant = "int8_decomposition/f32_i8_f32/cpu/abacus" } }); break;
            case "variant of another type":
                Int8Decomposition.Multiply<float>(activations, packed, output,
                new() { Kernel = new() { Variant = "int8_decomposition/f16_i8_f16/cpu/scalar" } }); break;
            case "pack: weights of other size": Int8Weights.Pack(weights.AsSpan(1), Outputs, Inputs); break;
            case "pack: NaN weight": Int8Weights.Pack([1, float.NaN], 1, 2); break;
            case "pack: infinite weight": Int8Weights.Pack([1, float.NegativeInfinity], 2, 1); break;
            case "pack: no outputs": Int8Weights.Pack([], 0, Inputs); break;
            case "pack: no inputs": Int8Weights.Pack([], Outputs, 0); break;
            case "pack: inputs beyond the exact range": Int8Weights.Pack(new float[133_145], 1, 133_145); break;
            case "quantised: too few values": Int8Weights.FromQuantized(values.AsSpan(1), stats, Outputs, Inputs); break;
            case "quantised: too few scales": Int8Weights.FromQuantized(values, stats.AsSpan(1), Outputs, Inputs); break;
            case "quantised: NaN scale": Int8Weights.FromQuantized(values, [.. stats[1..], float.NaN], Outputs, Inputs); break;
            case "quantised: negative scale": Int8Weights.FromQuantized(values, [.. stats[1..], -1], Outputs, Inputs); break;
            case "integers: no whole rows": Int8Decomposition.MultiplyInt8(values.AsSpan(1), packed, new int[100]); break;
            case "integers: products too short": Int8Decomposition.MultiplyInt8(values, packed, new int[Outputs * Outputs - 1]); break;
            case "integers: products overlap values":
                Int8Decomposition.MultiplyInt8(bytes[..Inputs], packed,
                MemoryMarshal.Cast<float, int>(shared.AsSpan())); break;
            case "integers: beyond int32": MultiplyTooLong(); break;
            case "rows: no columns": Int8Decomposition.QuantizeRows<float>(activations, 0, bytes, output); break;
            case "rows: no whole rows": Int8Decomposition.QuantizeRows<float>(shared, Inputs, bytes, output); break;
            case "rows: too few values": Int8Decomposition.QuantizeRows<float>(activations, Inputs, values.AsSpan(0, 15), two); break;
            case "rows: stats too short": Int8Decomposition.QuantizeRows<float>(activations, Inputs, values.AsSpan(0, 16), two.AsSpan(1)); break;
            case "rows: threshold NaN": Int8Decomposition.QuantizeRows<float>(activations, Inputs, values.AsSpan(0, 16), two, float.NaN); break;
            case "columns: stats too short": Int8Decomposition.QuantizeColumns<float>(activations, Inputs, values.AsSpan(0, 16), two); break;
            case "double: column values overlap row values":
                Int8Decomposition.DoubleQuantize<float>(activations, Inputs, values.AsSpan(0, 16), two, values.AsSpan(8, 16), new float[Inputs]); break;
            case "dequantise: stats of other length": Int8Decomposition.Dequantize<float>(values, Inputs, two, new float[Outputs * Inputs]); break;
            case "dequantise: matrix too short": Int8Decomposition.Dequantize<float>(values, Inputs, stats, output); break;
            case "dequantise: negative stats": Int8Decomposition.Dequantize<float>(values.AsSpan(0, 16), Inputs, [1, -1], shared); break;
            case "product: stats do not match": Int8Decomposition.DequantizeProduct<float>(new int[11], two, stats, output); break;
            case "product: NaN row stats": Int8Decomposition.DequantizeProduct<float>(new int[12], [1, float.NaN], stats, output); break;
            case "product: bias of other length": Int8Decomposition.DequantizeProduct<float>(new int[12], two, stats, output, two); break;
            case "product: output too short": Int8Decomposition.DequantizeProduct<float>(new int[12], two, stats, output.AsSpan(1)); break;
            case "find: too little room": Int8Decomposition.FindOutlierColumns<float>(activations, Inputs, 6, new int[Inputs - 1]); break;
            case "layer: bias of other length": _ = new Int8Linear(packed, two); break;
            case "layer: threshold negative": _ = new Int8Linear(packed, threshold: -6); break;
            case "layer: unknown scope": _ = new Int8Linear(packed, outliers: (OutlierScope)9); break;
            case "backward: no whole rows": layer.Backward<float>(output.AsSpan(1), default, default); break;
            case "backward: weight gradient without input": layer.Backward<float>(output, default, default, new float[Outputs * Inputs]); break;
            case "backward: input gradient too short": layer.Backward<float>(output, default, shared.AsSpan(0, Rows * Inputs - 1)); break;
            case "backward: weight gradient too short": layer.Backward<float>(output, activations, default, new float[3]); break;
            case "backward: bias gradient too short": layer.Backward<float>(output, default, default, default, two); break;
            case "backward: input gradient overlaps": layer.Backward<float>(output, activations, activations); break;
            default: throw new InvalidOperationException(call);
        }

        static void MultiplyTooLong()
        {
            const int inputs = 131_072;
            sbyte[] values = new sbyte[inputs];
            values[5] = sbyte.MinValue;
            Int8Decomposition.MultiplyInt8(values, Int8Weights.FromQuantized(values, [1], 1, inputs), new int[1]);
        }
    }

    [Fact]
    public void OtherElementTypesAreRefused() =>
        Assert.Throws<NotSupportedException>(() => Int8Decomposition.Multiply<double>(new double[8], Int8DecompositionCases.Weights(1, 8), new double[1]));

    [Fact]
    public void NoRowsAreNothingToDo()
    {
        Int8Decomposition.Multiply<float>([], Int8DecompositionCases.Weights(1, 8), []);
        Int8Decomposition.MultiplyInt8([], Int8DecompositionCases.Weights(1, 8), []);
        Int8Decomposition.QuantizeRows<float>([], 8, [], []);
        Int8Decomposition.DequantizeProduct<float>([], [], [1, 2], []);
        new Int8Linear(Int8DecompositionCases.Weights(1, 8)).Backward<float>([], [], []);
    }

    [Fact]
    public void CancelledCallsThrow() => Assert.Throws<OperationCanceledException>(() => Int8Decomposition.Multiply<float>(
        new float[8], Int8DecompositionCases.Weights(1, 8), new float[1], new() { Kernel = new() { CancellationToken = new(canceled: true) } }));

    [Fact]
    public void WeightsOfTheLeastValueLeaveRoomForFewerInputs()
    {
        // 132,104 * 127 * 128 is the last below 2^31; quantised weights, within +-127, take 133,144.
        const int most = int.MaxValue / (127 * 128);
        foreach (int inputs in new[] { most, most + 1, Int8Weights.LargestInputCount })
        {
            sbyte[] values = [.. Enumerable.Repeat(sbyte.MinValue, inputs)];
            using var least = Int8Weights.FromQuantized(values, [127], 1, inputs);
            using PackedMemory copy = PackedMemory.Allocate(least.ByteCount);
            using var over = Int8Weights.FromQuantized(values, [127], 1, inputs, destination: copy);
            float[] activations = [.. Enumerable.Repeat(-127f, inputs)], output = new float[1];
            foreach (Int8Weights weights in new[] { least, over, Int8Weights.Over(copy, 1, inputs) })
            {
                if (inputs > most)
                {
                    Assert.Equal("weights", Assert.Throws<ArgumentOutOfRangeException>(() =>
                        Int8Decomposition.Multiply<float>(activations, weights, output, new() { Threshold = 0 })).ParamName);
                    continue;
                }
                Int8Decomposition.Multiply<float>(activations, weights, output, new() { Threshold = 0 });
                Assert.InRange(output[0], inputs * 127f * 128f * (1 - 1e-6f), inputs * 127f * 128f * (1 + 1e-6f));
            }
        }
        using var largest = Int8Weights.FromQuantized([.. Enumerable.Repeat((sbyte)127, Int8Weights.LargestInputCount)], [127], 1,
            Int8Weights.LargestInputCount);
        var sum = new float[1];
        Int8Decomposition.Multiply<float>([.. Enumerable.Repeat(127f, Int8Weights.LargestInputCount)], largest, sum, new() { Threshold = 0 });
        Assert.InRange(sum[0], 2.147e9f, 2.148e9f);
    }
}
