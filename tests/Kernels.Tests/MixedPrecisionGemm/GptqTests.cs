using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace Kernels.Tests;

/// <summary>GPTQ: against its definition, against rounding to nearest, on synthetic and on real weights.</summary>
public sealed class GptqTests(ITestOutputHelper log)
{
    // Neighbouring inputs that go together, as in a network: x[i] = 0.9 x[i - 1] + noise, some inputs ten times as large as others.
    private static float[] Correlated(int rows, int inputs, int seed)
    {
        float[] activations = MixedPrecisionGemmCases.Normal(rows * inputs, seed);
        for (int i = 0; i < activations.Length; i++)
            activations[i] = i % inputs == 0 ? activations[i] : 0.9f * activations[i - 1] + 0.44f * activations[i];
        for (int i = 0; i < activations.Length; i++)
            activations[i] *= i % inputs % 16 == 3 ? 10 : 1;
        return activations;
    }

    private static GptqHessian Hessian(float[] activations, int inputs)
    {
        var hessian = new GptqHessian(inputs);
        hessian.Add(activations);
        return hessian;
    }

    // The sum of squares of X (W - Q)^T over that of X W^T.
    private static double OutputError(float[] activations, float[] weights, QuantizedWeights packed)
    {
        int inputs = packed.InputCount, rows = activations.Length / inputs;
        var rounded = new float[weights.Length];
        packed.Dequantize(rounded);
        double[] errors = new double[rows], outputs = new double[rows];
        Parallel.For(0, rows, row =>
        {
            for (int start = 0; start < weights.Length; start += inputs)
            {
                (double error, double output) = (0, 0);
                for (int i = 0; i < inputs; i++)
                {
                    error += activations[row * inputs + i] * ((double)weights[start + i] - rounded[start + i]);
                    output += activations[row * inputs + i] * (double)weights[start + i];
                }
                (errors[row], outputs[row]) = (errors[row] + error * error, outputs[row] + output * output);
            }
        });
        return errors.Sum() / outputs.Sum();
    }

    [Fact]
    public void DiagonalHessiansLeaveRoundingToNearest()
    {
        const int outputs = 70, inputs = 96;
        float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 1);
        var diagonal = new double[inputs * inputs];
        for (int i = 0; i < inputs; i++)
            diagonal[i * inputs + i] = 1 + i % 7;
        var hessian = new GptqHessian(inputs);
        hessian.AddMatrix(diagonal);
        foreach (QuantizedType type in Enum.GetValues<QuantizedType>())
        {
            foreach (int group in new[] { 32, 12, QuantizationFormat.WholeColumn })
            {
                QuantizationFormat format = new(type, group);
                QuantizedWeightsTests.AssertSame(QuantizedWeights.Pack(weights, outputs, inputs, format),
                    QuantizedWeights.PackGptq(weights, outputs, inputs, format, hessian));
            }
        }
    }

    [Fact]
    public void ValuesAreThoseOfTheDefinition()
    {
        // Optimal brain quantisation in a fixed order, with the inverse of what remains of H carried along (GPTQ, equations 2 and 3), in double.
        const int outputs = 9, inputs = 48, group = 16;
        float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 2), activations = Correlated(200, inputs, 3);
        double[,] inverse = InverseHessian(activations, inputs);
        double[] current = [.. weights.Select(weight => (double)weight)];
        float[] expected = new float[weights.Length], actual = new float[weights.Length];
        var scales = new float[outputs];
        for (int j = 0; j < inputs; j++)
        {
            for (int row = 0; row < outputs; row++)
            {
                if (j % group == 0)
                    scales[row] = (float)(Half)(float)(current.Skip(row * inputs + j).Take(group).Max(Math.Abs) / 15 * 2);
                double quantised = scales[row] * (Math.Clamp(Math.Round(current[row * inputs + j] / scales[row]) + 8, 0, 15) - 8);
                double error = (current[row * inputs + j] - quantised) / inverse[j, j];
                for (int i = j; i < inputs; i++)
                    current[row * inputs + i] -= error * inverse[j, i];
                expected[row * inputs + j] = (float)quantised;
            }
            for (int row = j + 1; row < inputs; row++)
            {
                for (int column = j + 1; column < inputs; column++)
                    inverse[row, column] -= inverse[row, j] * inverse[j, column] / inverse[j, j];
            }
        }
        QuantizedWeights.PackGptq(weights, outputs, inputs, new(QuantizedType.U4, group), Hessian(activations, inputs)).Dequantize(actual);
        Assert.Equal(expected, actual);
    }

    // Gauss-Jordan, with the damping of one hundredth of the mean diagonal.
    private static double[,] InverseHessian(float[] activations, int inputs)
    {
        var hessian = new double[inputs, 2 * inputs];
        double mean = 0;
        for (int i = 0; i < inputs; i++)
        {
            for (int j = 0; j < inputs; j++)
            {
                for (int start = 0; start < activations.Length; start += inputs)
                    hessian[i, j] += 2.0 * activations[start + i] * activations[start + j];
            }
            hessian[i, inputs + i] = 1;
            mean += hessian[i, i] / inputs;
        }
        for (int i = 0; i < inputs; i++)
            hessian[i, i] += 0.01 * mean;
        for (int pivot = 0; pivot < inputs; pivot++)
        {
            double scale = 1 / hessian[pivot, pivot];
            for (int j = 0; j < 2 * inputs; j++)
                hessian[pivot, j] *= scale;
            for (int i = 0; i < inputs; i++)
            {
                double factor = i == pivot ? 0 : hessian[i, pivot];
                for (int j = 0; j < 2 * inputs; j++)
                    hessian[i, j] -= factor * hessian[pivot, j];
            }
        }
        var inverse = new double[inputs, inputs];
        for (int i = 0; i < inputs * inputs; i++)
            inverse[i / inputs, i % inputs] = hessian[i / inputs, inputs + i % inputs];
        return inverse;
    }

    [Fact]
    public void OutputErrorsAreBelowThoseOfRoundingToNearest()
    {
        const int outputs = 64, inputs = 256;
        float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 4), unseen = Correlated(128, inputs, 6);
        GptqHessian hessian = Hessian(Correlated(1024, inputs, 5), inputs);
        foreach (QuantizedType type in Enum.GetValues<QuantizedType>())
        {
            foreach (int group in new[] { 32, 64, 128 })
            {
                QuantizationFormat format = new(type, group);
                double nearest = OutputError(unseen, weights, QuantizedWeights.Pack(weights, outputs, inputs, format));
                foreach (bool actOrder in new[] { false, true })
                {
                    QuantizedWeights packed = QuantizedWeights.PackGptq(weights, outputs, inputs, format, hessian, new() { ActOrder = actOrder });
                    Assert.Equal(actOrder, packed.HasInputOrder);
                    Assert.InRange(OutputError(unseen, weights, packed), 0, 0.75 * nearest);
                }
            }
        }
    }

    [Fact]
    public void AnyThreadsPackTheSame()
    {
        const int outputs = 70, inputs = 96;
        float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 4);
        GptqHessian hessian = Hessian(Correlated(200, inputs, 5), inputs);
        QuantizedWeights Pack(int threads) =>
            QuantizedWeights.PackGptq(weights, outputs, inputs, new(GroupSize: 32), hessian, new() { Kernel = new() { MaxDegreeOfParallelism = threads } });
        foreach (int threads in new[] { 0, 2, 3, 7 })
            QuantizedWeightsTests.AssertSame(Pack(1), Pack(threads));
    }

    [Fact]
    public void InputsThatAreNeverUsedGetNoWeight()
    {
        const int outputs = 5, inputs = 32, dead = 7;
        float[] weights = MixedPrecisionGemmCases.Normal(outputs * inputs, 4), back = new float[weights.Length], activations = Correlated(100, inputs, 5);
        for (int i = dead; i < activations.Length; i += inputs)
            activations[i] = 0;
        QuantizedWeights.PackGptq(weights, outputs, inputs, new(GroupSize: 16), Hessian(activations, inputs), new() { ActOrder = true }).Dequantize(back);
        Assert.All(Enumerable.Range(0, outputs), row => Assert.Equal(0, back[row * inputs + dead]));
    }

    [Fact]
    public void BadArgumentsAreRefusedByName()
    {
        float[] weights = new float[64];
        GptqHessian hessian = Hessian(Correlated(20, 8, 5), 8), indefinite = new(8);
        indefinite.AddMatrix([.. Enumerable.Range(0, 64).Select(i => i % 9 == 0 ? 1.0 : 5.0)]);
        Refused("hessian", () => QuantizedWeights.PackGptq(weights, 8, 8, new(GroupSize: 8), null!));
        Refused("hessian", () => QuantizedWeights.PackGptq(weights, 16, 4, new(GroupSize: 4), hessian));
        Refused("hessian", () => QuantizedWeights.PackGptq(weights, 8, 8, new(GroupSize: 8), indefinite));
        Refused("weights", () => QuantizedWeights.PackGptq([float.NaN, .. weights[1..]], 8, 8, new(GroupSize: 8), hessian));
        Refused("format", () => QuantizedWeights.PackGptq(weights, 8, 8, new(GroupSize: 8, Sparsity: WeightSparsity.TwoOfFour), hessian));
        Refused(nameof(GptqOptions.Damping), () => QuantizedWeights.PackGptq(weights, 8, 8, new(GroupSize: 8), hessian, new() { Damping = -1 }));
        Refused("activations", () => hessian.Add(new float[9]));
        Refused("activations", () => hessian.Add([float.PositiveInfinity, .. new float[7]]));
        Refused("matrix", () => hessian.AddMatrix(new double[63]));
        Refused("inputCount", () => _ = new GptqHessian(0));

        static void Refused(string parameter, Action call) => Assert.Equal(parameter, Assert.ThrowsAny<ArgumentException>(call).ParamName);
    }

    [SkippableTheory]
    [InlineData("q")]
    [InlineData("proj")]
    public void RealAttentionWeightsLoseLess(string name)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(SharedData.Find($"models/gpt2-small-124M/h11_attn_{name}_weight.safetensors"));
        ReadOnlySpan<float> all = reader.Elements<float>(reader.Tensors[0].Name);
        const int inputs = 768, outputs = 96;
        CheckRealWeights($"GPT-2 h.11 {name}", all[..(outputs * inputs)].ToArray(), outputs, inputs);
    }

    [SkippableFact]
    public void RealEmbeddingsLoseLess()
    {
        // llama2.c's file: seven 32-bit sizes, then the token embeddings [512, 64] of stories260K.
        const int headerBytes = 28, outputs = 512, inputs = 64;
        byte[] file = File.ReadAllBytes(SharedData.Find("models/stories260K/stories260K.bin"));
        CheckRealWeights("stories260K embeddings", MemoryMarshal.Cast<byte, float>(file.AsSpan(headerBytes))[..(outputs * inputs)].ToArray(), outputs, inputs);
    }

    private void CheckRealWeights(string name, float[] weights, int outputs, int inputs)
    {
        float[] unseen = Correlated(64, inputs, 6);
        GptqHessian hessian = Hessian(Correlated(2 * inputs, inputs, 5), inputs);
        foreach (int group in new[] { 32, 64, 128 }.Where(group => inputs % group == 0))
        {
            double nearest = OutputError(unseen, weights, QuantizedWeights.Pack(weights, outputs, inputs, new(GroupSize: group)));
            double gptq = OutputError(unseen, weights, QuantizedWeights.PackGptq(weights, outputs, inputs, new(GroupSize: group), hessian));
            log.WriteLine($"{name}, group {group}: {gptq:E2} of the output's square by GPTQ, {nearest:E2} by rounding to nearest");
            Assert.True(gptq < nearest, $"{name}, group {group}: error {gptq:E2} of the output's square, {nearest:E2} by rounding to nearest");
        }
    }
}
