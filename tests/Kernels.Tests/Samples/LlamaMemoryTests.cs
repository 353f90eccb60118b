using System.Globalization;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>
/// The sample model's memory: weights are mapped, packed weights alone stay resident, tokens allocate next to nothing; and products of floats.
/// </summary>
[Collection(AloneInTheProcess.Name)]
public sealed class LlamaMemoryTests
{
    // 52 MB of floats.
    private static readonly LlamaShape s_shape = new(Dimension: 512, HiddenDimension: 1408, LayerCount: 4, HeadCount: 8, KvHeadCount: 4, VocabularySize: 2048,
        ContextLength: 64)
    { SharesClassifier = true };

    [Fact]
    public void FloatsAreMappedNotCopied()
    {
        using var folder = new TemporaryFolder();
        ModelFiles files = LlamaCases.Random(folder, s_shape);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using LlamaModel model = LlamaModel.Load(files.OpenModel, LlamaCases.Dense);
        model.Forward([1], new float[s_shape.VocabularySize]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, model.BytesPerToken / 50);
        if (OperatingSystem.IsLinux())
            Assert.InRange(ResidentBytes(files.Model), 0.9 * model.BytesPerToken, 1.1 * model.BytesPerToken);
    }

    [Theory]
    [InlineData((int)WeightKind.U4G128)]
    [InlineData((int)WeightKind.Int8)]
    public void PackedWeightsAloneStayResident(int kind)
    {
        using var folder = new TemporaryFolder();
        ModelFiles files = LlamaCases.Random(folder, s_shape);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using LlamaModel model = LlamaModel.Load(files.OpenModel, LlamaCases.Dense with { Weights = (WeightKind)kind });
        model.Forward([1], new float[s_shape.VocabularySize]);
        // Beside int8 the classifier stays in the file.
        long mapped = kind == (int)WeightKind.Int8 ? (long)s_shape.VocabularySize * s_shape.Dimension * sizeof(float) : 0, packed = model.BytesPerToken
            - mapped, slack = 1 << 20;
        Assert.InRange(packed, 1, new FileInfo(files.Model).Length / 3);
        // Packed weights lie in pages of their own; what the collector hands out beside them is small.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, packed / 20 + slack);
        if (OperatingSystem.IsLinux())
            Assert.InRange(ResidentBytes(files.Model), 1, mapped + slack);
    }

    [Theory]
    [InlineData((int)WeightKind.F32)]
    [InlineData((int)WeightKind.Int8)]
    [InlineData((int)WeightKind.U4G32)]
    public void ATokenAllocatesNextToNothing(int weights)
    {
        const int tokens = 30, bytesPerToken = 256;
        using var folder = new TemporaryFolder();
        using ICheckpoint checkpoint = LlamaCases.Random(folder).OpenModel();
        using var model = new LlamaModel(checkpoint, LlamaCases.Dense with { Weights = (WeightKind)weights });
        var logits = new float[checkpoint.Shape.VocabularySize];
        long least = AllocationMeter.LeastPerRound(() =>
        {
            model.Reset();
            for (int i = 0; i < tokens; i++)
                model.Forward([1 + i], logits);
        }, enough: tokens * bytesPerToken);
        Assert.InRange(least, 0, tokens * bytesPerToken);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 7)]
    [InlineData(4, 8)]
    [InlineData(67, 33)]
    [InlineData(1030, 517)]
    public void ProductsOfFloatsAreTheFormulaRowByRow(int outputs, int inputs)
    {
        const int rows = 3;
        var random = new Random(1);
        float[] weights = [.. Enumerable.Range(0, outputs * inputs).Select(_ => random.NextSingle() - 0.5f)],
            x = [.. Enumerable.Range(0, rows * inputs).Select(_ => random.NextSingle() - 0.5f)];
        float[] y = new float[rows * outputs], alone = new float[outputs];
        var matrix = new FloatMatrix(weights, outputs, inputs);
        matrix.Multiply(x, y);
        for (int row = 0; row < rows; row++)
        {
            matrix.Multiply(x.AsSpan(row * inputs, inputs), alone);
            Assert.Equal(alone, y.AsSpan(row * outputs, outputs));
            for (int output = 0; output < outputs; output++)
            {
                double sum = 0;
                for (int i = 0; i < inputs; i++)
                    sum += (double)weights[output * inputs + i] * x[row * inputs + i];
                Assert.Equal(sum, alone[output], 1e-5);
            }
        }
    }

    // "Rss: 12 kB" after the line of each mapping, which ends with the file's path.
    private static long ResidentBytes(string path)
    {
        const int kilo = 1024;
        bool isOfFile = false;
        long sum = 0;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string name = line.Split(' ', 2)[0];
            if (!name.EndsWith(':'))
                isOfFile = line.EndsWith(path, StringComparison.Ordinal);
            else if (isOfFile && name == "Rss:")
                sum += kilo * long.Parse(line[name.Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture);
        }
        return sum;
    }
}
