using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>A classifier's numbers, and what the library makes of them.</summary>
internal sealed class ClassifierData
{
    public ClassifierData(LinearClassifierShape shape, double spread = 1, int seed = 1, bool hasBias = false)
    {
        var draw = new ProblemDraw(seed);
        Shape = shape;
        Hidden = draw.Normals<float>(shape.TokenCount * shape.Width, spread);
        Weights = draw.Normals<float>(shape.VocabularySize * shape.Width, 1);
        Bias = hasBias ? draw.Normals<float>(shape.VocabularySize, 1) : [];
        Targets = draw.Integers<int>(shape.TokenCount, 0, shape.VocabularySize - 1);
    }

    public LinearClassifierShape Shape { get; private init; }

    public float[] Hidden { get; private init; }

    public float[] Weights { get; }

    public float[] Bias { get; }

    public int[] Targets { get; private init; }

    public int IgnoredTarget { get; init; } = LinearCrossEntropyOptions.DefaultIgnoredTarget;

    public float[] Losses { get; private set; } = [];

    public float[] LogProbabilities { get; private set; } = [];

    public float[] LogSumExp { get; private set; } = [];

    /// <summary>All that the family computes, once each.</summary>
    public CrossEntropyReport Run(KernelOptions kernel)
    {
        var options = new LinearCrossEntropyOptions { Bias = Bias, Kernel = kernel, IgnoredTarget = IgnoredTarget };
        Losses = new float[Shape.TokenCount];
        LogProbabilities = new float[Shape.TokenCount];
        LogSumExp = new float[Shape.TokenCount];
        CrossEntropyReport report = LinearCrossEntropy.TokenLosses(Hidden, Weights, Targets, Losses, Shape, options);
        LinearCrossEntropy.LogProbabilities(Hidden, Weights, Targets, LogProbabilities, LogSumExp, Shape, options);
        Assert.Equal(report, LinearCrossEntropy.Loss(Hidden, Weights, Targets, Shape, options));
        return report;
    }

    /// <summary>Some of its tokens, with the same words.</summary>
    public ClassifierData Tokens(int first, int count) => new(Shape with { TokenCount = 0 }, Weights, Bias)
    {
        Shape = Shape with { TokenCount = count },
        Hidden = Hidden[(first * Shape.Width)..((first + count) * Shape.Width)],
        Targets = Targets[first..(first + count)],
        IgnoredTarget = IgnoredTarget,
    };

    private ClassifierData(LinearClassifierShape shape, float[] weights, float[] bias) =>
        (Shape, Hidden, Weights, Bias, Targets) = (shape, [], weights, bias, []);
}

/// <summary>The variants and comparisons that the tests of the family share.</summary>
internal static class LinearCrossEntropyCases
{
    public static TheoryData<string> Variants { get; } = [.. LinearCrossEntropyVariants.Table.Entries.ToArray().Select(entry => entry.Variant.Identity)];

    /// <summary>Options that force a variant, in software if need be; skips the test, with the reason, where that would take minutes.</summary>
    public static KernelOptions Force(string identity, int threads = 1)
    {
        KernelVariant variant = Variant(identity);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{identity}: {variant.Reason}");
        Skip.If(
            variant.Availability == VariantAvailability.Emulated && !Vector128.IsHardwareAccelerated,
            $"{identity}: without SIMD of any width, software vectors take minutes; the runs with SIMD emulate it");
        return new KernelOptions { Variant = identity, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    public static bool IsAvailable(string identity) => Variant(identity).Availability == VariantAvailability.Available;

    private static KernelVariant Variant(string identity) =>
        LinearCrossEntropyVariants.Table.Entries.ToArray().Select(entry => entry.Variant).Single(variant => variant.Identity == identity);

    /// <summary>Holds every result to its bound, and loss and log-probability to each other.</summary>
    public static void AssertWithinBounds(ClassifierData data, CrossEntropyReport report)
    {
        var oracle = new LinearCrossEntropyOracle(data);
        double sum = 0, bound = 0;
        int counted = 0;
        for (int token = 0; token < data.Shape.TokenCount; token++)
        {
            Assert.Equal(data.Losses[token], 0 - data.LogProbabilities[token]);
            if (data.Targets[token] == data.IgnoredTarget)
            {
                Assert.Equal((0, 0, 0), (data.Losses[token], data.LogProbabilities[token], data.LogSumExp[token]));
                continue;
            }
            Assert.True(Math.Abs(data.LogSumExp[token] - oracle.LogSumExp[token]) <= oracle.SumBound[token],
                $"log-sum-exp of token {token}: {data.LogSumExp[token]:R} for {oracle.LogSumExp[token]:R}");
            Assert.True(Math.Abs(data.Losses[token] - oracle.Loss[token]) <= oracle.LossBound[token],
                $"loss of token {token}: {data.Losses[token]:R} for {oracle.Loss[token]:R}");
            Assert.True(data.Losses[token] >= 0);
            sum += oracle.Loss[token];
            bound += oracle.LossBound[token];
            counted++;
        }
        Assert.Equal(counted, report.CountedTokens);
        Assert.InRange(report.Sum, sum - bound, sum + bound);
        Assert.Equal(counted == 0 ? 0 : report.Sum / counted, report.Mean);
    }

    /// <summary>The bits of all results of some tokens.</summary>
    public static byte[] Bits(ClassifierData data, int first, int count) =>
    [
        .. MemoryMarshal.AsBytes(data.Losses.AsSpan(first, count)), .. MemoryMarshal.AsBytes(data.LogProbabilities.AsSpan(first, count)),
        .. MemoryMarshal.AsBytes(data.LogSumExp.AsSpan(first, count)),
    ];
}
