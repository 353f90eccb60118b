using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>Dense products, layers, optimisers, embeddings and checkpoints.</summary>
public sealed class RnnLayerTests
{
    public static TheoryData<string> Variants => ParaRnnCases.Variants();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void LinearLayersAgreeWithPlainLoops(string variant)
    {
        KernelOptions kernel = ParaRnnCases.Force<float>(variant, threads: 2);
        foreach ((int rows, int inputs, int outputs) in new[] { (1, 1, 1), (5, 3, 7), (6, 16, 32), (97, 33, 35), (200, 300, 5), (13, 1300, 70), (0, 4, 4) })
        {
            var layer = new LinearLayer("l", inputs, outputs, seed: 1);
            ParaRnnCases.Normal<float>(outputs, 1, 3).CopyTo(layer.Biases.Values, 0);
            float[] x = ParaRnnCases.Normal<float>(rows * inputs, 1, 1), gy = ParaRnnCases.Normal<float>(rows * outputs, 1, 2), y = new float[rows * outputs],
                gx = new float[rows * inputs];
            layer.Forward(x, y, kernel);
            layer.Backward(x, gy, gx, kernel);
            layer.Backward(x, gy, [], kernel);
            float[] w = layer.Weights.Values;
            // A chain of n multiply-adds of numbers near 1 is off by at most some n u, most often by its root.
            double tolerance = 1e-6 * Math.Max(4, Math.Sqrt(Math.Max(rows, Math.Max(inputs, outputs))));
            Compare(y, i => layer.Biases.Values[i % outputs] + Sum(inputs, k => (double)x[i / outputs * inputs + k] * w[i % outputs * inputs + k]));
            Compare(gx, i => Sum(outputs, k => (double)gy[i / inputs * outputs + k] * w[k * inputs + i % inputs]));
            Compare(layer.Weights.Gradients, i => 2 * Sum(rows, k => (double)gy[k * outputs + i / inputs] * x[k * inputs + i % inputs]));
            Compare(layer.Biases.Gradients, i => 2 * Sum(rows, k => gy[k * outputs + i]));

            void Compare(float[] actual, Func<int, double> expected)
            {
                for (int i = 0; i < actual.Length; i++)
                    Assert.InRange(Math.Abs(actual[i] - expected(i)), 0, 4 * tolerance);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ThreadsDoNotShowInProducts(string variant)
    {
        // Widths and depths beyond one block, of which threads take different ones.
        (int rows, int inputs, int outputs) = (150, 800, 133);
        var layer = new LinearLayer("l", inputs, outputs, seed: 1);
        float[] x = ParaRnnCases.Normal<float>(rows * inputs, 1, 1), gy = ParaRnnCases.Normal<float>(rows * outputs, 1, 2);
        float[][] alone = Run(1);
        foreach (int threads in new[] { 2, 3, 7 })
            Assert.All(Run(threads).Zip(alone), pair => Assert.Equal(pair.Second, pair.First));

        float[][] Run(int threads)
        {
            KernelOptions kernel = ParaRnnCases.Force<float>(variant, threads);
            float[] y = new float[rows * outputs], gx = new float[x.Length];
            Array.Clear(layer.Weights.Gradients);
            layer.Forward(x, y, kernel);
            layer.Backward(x, gy, gx, kernel);
            return [y, gx, [.. layer.Weights.Gradients]];
        }
    }

    private static double Sum(int count, Func<int, double> term) => Enumerable.Range(0, count).Sum(term);

    [Fact]
    public void GradientsOfALayerAreDifferencesOfItsLoss()
    {
        Check(new ParaGruLayer("gru", 3, 5, seed: 4), layer => layer.Parameters, (layer, x, y) => layer.Forward(x, y, 2), (layer, gy, gx) =>
            layer.Backward(gy, gx));
        Check(new ParaLstmLayer("lstm", 3, 5, seed: 4), layer => layer.Parameters, (layer, x, y) => layer.Forward(x, y, 2), (layer, gy, gx) =>
            layer.Backward(gy, gx));
        Check(new ParaGruLayer("gru", 4, 6, seed: 4, headCount: 2), layer => layer.Parameters, (layer, x, y) => layer.Forward(x, y, 2), (layer, gy, gx) =>
            layer.Backward(gy, gx), inputs: 4, hidden: 6);
    }

    [Fact]
    public void HeadsAreTheBlocksOfADenseLayer()
    {
        // Two sections of six outputs and nine inputs, in three heads: output o sees the inputs of head o % 6 / 2.
        const int rows = 5, inputs = 9, outputs = 12, sections = 2, heads = 3;
        var inHeads = new LinearLayer("l", inputs, outputs, sections, heads, seed: 1);
        var dense = new LinearLayer("l", inputs, outputs, seed: 2);
        Array.Clear(dense.Weights.Values);
        for (int o = 0; o < outputs; o++)
        {
            for (int i = 0; i < inputs / heads; i++)
                dense.Weights.Values[o * inputs + InputOf(o, i)] = inHeads.Weights.Values[o * (inputs / heads) + i];
        }
        float[] x = ParaRnnCases.Normal<float>(rows * inputs, 1, 1), gy = ParaRnnCases.Normal<float>(rows * outputs, 1, 2), y = new float[gy.Length],
            expected = new float[gy.Length];
        float[] gx = new float[x.Length], gxExpected = new float[x.Length];
        inHeads.Forward(x, y);
        dense.Forward(x, expected);
        inHeads.Backward(x, gy, gx);
        dense.Backward(x, gy, gxExpected);
        Assert.All(y.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
        Assert.All(gx.Zip(gxExpected), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
        for (int o = 0; o < outputs; o++)
        {
            for (int i = 0; i < inputs / heads; i++)
                Assert.Equal(dense.Weights.Gradients[o * inputs + InputOf(o, i)], inHeads.Weights.Gradients[o * (inputs / heads) + i], 1e-5f);
        }
        Assert.Equal("headCount", Assert.Throws<ArgumentException>(() => new LinearLayer("l", 8, 12, 2, 3, seed: 1)).ParamName);
        Assert.Equal("headCount", Assert.Throws<ArgumentException>(() => new ParaLstmLayer("l", 8, 6, seed: 1, headCount: 4)).ParamName);

        static int InputOf(int output, int index) => output % (outputs / sections) / (outputs / sections / heads) * (inputs / heads) + index;
    }

    private static void Check<TLayer>(
        TLayer layer, Func<TLayer, IReadOnlyList<Parameter>> parameters, Action<TLayer, float[], float[]> forward, Action<TLayer, float[], float[]> backward,
        int inputs = 3, int hidden = 5)
    {
        const int steps = 6, sequences = 2;
        // Differences in float: an eighth of the digits for the step, the rest for the slope.
        const float h = 1e-2f;
        float[] x = ParaRnnCases.Normal<float>(steps * sequences * inputs, 1, 1), y = new float[steps * sequences * hidden],
            gy = ParaRnnCases.Normal<float>(y.Length, 1, 2), gx = new float[x.Length];
        forward(layer, x, y);
        backward(layer, gy, gx);
        foreach (Parameter parameter in parameters(layer))
            CheckSlopes(parameter.Values, parameter.Gradients);
        CheckSlopes(x, gx);

        void CheckSlopes(float[] numbers, float[] gradients)
        {
            for (int i = 0; i < numbers.Length; i += 2)
            {
                float number = numbers[i];
                numbers[i] = number + h;
                double above = Loss();
                numbers[i] = number - h;
                double below = Loss();
                numbers[i] = number;
                Assert.InRange(Math.Abs((above - below) / (2 * h) - gradients[i]), 0, 2e-3);
            }
        }

        double Loss()
        {
            forward(layer, x, y);
            return Sum(y.Length, i => (double)y[i] * gy[i]);
        }
    }

    [Fact]
    public void StatesAreCarriedFromCallToCall()
    {
        var layer = new ParaLstmLayer("l", 2, 3, seed: 1);
        float[] x = ParaRnnCases.Normal<float>(10 * 2, 1, 1), whole = new float[10 * 3], parts = new float[10 * 3], state = new float[layer.StateElements(1)];
        layer.Forward(x, whole, 1);
        layer.Forward(x.AsSpan(0, 8), parts.AsSpan(0, 12), 1, state);
        layer.Forward(x.AsSpan(8), parts.AsSpan(12), 1, state);
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void CheckpointsComeBackAndMisfitsAreRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("layer.safetensors");
        var saved = new ParaGruLayer("l", 2, 3, seed: 1);
        var loaded = new ParaGruLayer("l", 2, 3, seed: 2);
        Checkpoint.Save(path, saved.Parameters);
        Checkpoint.Load(path, loaded.Parameters);
        Assert.All(saved.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
        Assert.Equal("l.input.weight",
            Assert.Throws<TensorFileException>(() => Checkpoint.Load(path, new ParaGruLayer("l", 3, 3, seed: 1).Parameters)).TensorName);
        Assert.Equal("m.input.weight",
            Assert.Throws<TensorFileException>(() => Checkpoint.Load(path, new ParaGruLayer("m", 2, 3, seed: 1).Parameters)).TensorName);
    }

    [Fact]
    public void EmbeddingsAreProductsWithOneHotRows()
    {
        const int tokenCount = 7, width = 5;
        int[] tokens = [3, 0, 6, 3, 3];
        var embedding = new EmbeddingLayer("e", tokenCount, width, seed: 1);
        float[] rows = new float[tokens.Length * width], gradients = ParaRnnCases.Normal<float>(rows.Length, 1, 2);
        embedding.Forward(tokens, rows);
        embedding.Backward(tokens, gradients);
        for (int i = 0; i < rows.Length; i++)
            Assert.Equal(embedding.Weights.Values[tokens[i / width] * width + i % width], rows[i]);
        for (int i = 0; i < tokenCount * width; i++)
            Assert.Equal(Sum(tokens.Length, k => tokens[k] == i / width ? gradients[k * width + i % width] : 0), embedding.Weights.Gradients[i], 1e-6);
        foreach (int bad in new[] { -1, tokenCount })
            Assert.Equal("tokens", Assert.Throws<ArgumentOutOfRangeException>(() => embedding.Forward([0, bad], new float[2 * width])).ParamName);
        Assert.Throws<ArgumentException>(() => embedding.Forward(tokens, new float[rows.Length - 1]));
    }

    [Fact]
    public void TheRecurrenceAloneIsTheLayerWithoutItsProduct()
    {
        Check(new ParaGruLayer("gru", 3, 20, seed: 4));
        Check(new ParaLstmLayer("lstm", 3, 20, seed: 4));

        static void Check(RnnLayer layer)
        {
            const int steps = 9, sequences = 2;
            float[] x = ParaRnnCases.Normal<float>(steps * sequences * 3, 1, 1), whole = new float[steps * sequences * 20], alone = new float[whole.Length];
            float[] gates = new float[steps * sequences * layer.Projection.OutputCount];
            float[] state = ParaRnnCases.Normal<float>(layer.StateElements(sequences), 1, 2), other = [.. state];
            layer.Forward(x, whole, sequences, state);
            layer.Projection.Forward(x, gates);
            layer.Recur(gates, alone, sequences, other);
            Assert.Equal(whole, alone);
            Assert.Equal(state, other);
            Assert.Throws<ArgumentException>(() => layer.Recur(gates.AsSpan(1), alone, sequences));
        }
    }

    [Fact]
    public void OptimizersGoOnFromACheckpoint()
    {
        Check(layer => new AdamW(layer.Parameters, rate: 0.1));
        Check(layer => new Sgd(layer.Parameters, rate: 0.1, momentum: 0.5));

        static void Check(Func<LinearLayer, Optimizer> create)
        {
            using var folder = new TemporaryFolder();
            string path = folder.File("checkpoint.safetensors");
            // More weights than a register has lanes, and no multiple of them.
            var through = new LinearLayer("l", 5, 7, seed: 1);
            Optimizer first = create(through);
            Steps(through, first, 0, 3);
            Checkpoint.Save(path, through.Parameters, first, new Dictionary<string, string> { ["note"] = "half way" });
            Steps(through, first, 3, 6);
            var resumed = new LinearLayer("l", 5, 7, seed: 2);
            Optimizer second = create(resumed);
            Checkpoint.Load(path, resumed.Parameters, second);
            Assert.Equal(3, second.StepCount);
            Steps(resumed, second, 3, 6);
            Assert.Equal(through.Weights.Values, resumed.Weights.Values);
            using SafetensorsReader reader = SafetensorsReader.Open(path);
            Assert.Equal("half way", reader.Metadata["note"]);
        }

        static void Steps(LinearLayer layer, Optimizer optimizer, int begin, int end)
        {
            for (int step = begin; step < end; step++)
            {
                ParaRnnCases.Normal<float>(layer.Weights.Gradients.Length, 1, step).CopyTo(layer.Weights.Gradients, 0);
                optimizer.Step();
            }
        }
    }

    [Fact]
    public void OptimizersFollowTheirFormulas()
    {
        var layer = new LinearLayer("l", 1, 1, seed: 1);
        Parameter weight = layer.Weights;
        weight.Values[0] = 1;
        var sgd = new Sgd([weight], rate: 0.1, momentum: 0.5);
        weight.Gradients[0] = 1;
        sgd.Step();
        Assert.Equal(0.9f, weight.Values[0], 6);
        weight.Gradients[0] = 1;
        sgd.Step();
        Assert.Equal(0.9f - 0.15f, weight.Values[0], 6);
        Assert.Equal(0, weight.Gradients[0]);
        // Adam's first step is the rate, whatever the gradient; the decay comes on top.
        weight.Values[0] = 1;
        weight.Gradients[0] = 123;
        new AdamW([weight], rate: 0.01, weightDecay: 0.1).Step();
        Assert.Equal(1 - 0.001f - 0.01f, weight.Values[0], 6);
        weight.Gradients[0] = 3;
        layer.Biases.Gradients[0] = 4;
        Assert.Equal(5, GradientClipping.ByNorm(layer.Parameters, 1), 6);
        Assert.Equal(0.6f, weight.Gradients[0], 6);
        weight.Gradients[0] = float.NaN;
        Assert.True(double.IsNaN(GradientClipping.ByNorm(layer.Parameters, 1)));
    }
}
