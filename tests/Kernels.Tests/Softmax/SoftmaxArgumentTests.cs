using CommunityToolkit.HighPerformance;
using Kernels.Core.Softmax;

namespace Kernels.Tests;

/// <summary>Bad arguments are refused by name before a byte is written.</summary>
public sealed class SoftmaxArgumentTests
{
    private const float Untouched = 42;

    public static TheoryData<string, string> BadCalls => new()
    {
        { "destination too short", "probabilities" },
        { "log destination too short", "logProbabilities" },
        { "sums too short", "logSumExp" },
        { "negative row length", "rowLength" },
        { "row length does not divide", "rowLength" },
        { "zero row length with logits", "rowLength" },
        { "axis too large", "axis" },
        { "axis too small", "axis" },
        { "dimensions do not match", "dimensions" },
        { "dimensions whose product is 0 in 64 bits", "dimensions" },
        { "negative dimension", "dimensions" },
        { "NaN scale", "Scale" },
        { "infinite scale", "Scale" },
        { "NaN cap", "SoftCap" },
        { "negative cap", "SoftCap" },
        { "mask of odd length", "AdditiveMask" },
        { "boolean mask of odd length", "BooleanMask" },
        { "too few row lengths", "RowLengths" },
        { "row length beyond the row", "RowLengths" },
        { "negative length of a row", "RowLengths" },
        { "causal count does not divide", "CausalQueryCount" },
        { "causal count without causal", "CausalQueryCount" },
        { "lengths along another axis", "options" },
        { "overlap by one", "probabilities" },
        { "mask overlaps destination", "probabilities" },
        { "sums overlap logits", "logSumExp" },
        { "negative parallelism", "MaxDegreeOfParallelism" },
        { "unknown variant", "Variant" },
        { "matrix shapes differ", "probabilities" },
        { "top-k of too many", "count" },
        { "top-k of a negative count", "count" },
        { "top-k values too short", "values" },
        { "top-k indices too short", "indices" },
        { "gradient of other length", "probabilities" },
        { "gradient destination too short", "logitGradient" },
        { "gradient cap without logits", "Logits" },
        { "gradient overlap by one", "logitGradient" },
    };

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void IsRefusedByName(string call, string parameter)
    {
        float[] shared = [.. Enumerable.Repeat(Untouched, 25)], output = [.. shared];
        var indices = new int[24];
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => Make(call, shared, output, indices));
        Assert.Equal(parameter, refused.ParamName);
        Assert.All(shared.Concat(output), value => Assert.Equal(Untouched, value));
        Assert.All(indices, index => Assert.Equal(0, index));
    }

    private static void Make(string call, float[] shared, float[] output, int[] indices)
    {
        Span<float> logits = shared.AsSpan(0, 24);
        switch (call)
        {
            case "destination too short": Softmax.Compute<float>(logits, output.AsSpan(0, 23), 6); break;
            case "log destination too short": Softmax.LogSoftmax<float>(logits, output.AsSpan(0, 23), 6); break;
            case "sums too short": Softmax.LogSumExp<float>(logits, output.AsSpan(0, 3), 6); break;
            case "negative row length": Softmax.Compute<float>(logits, output, -1); break;
            case "row length does not divide": Softmax.Compute<float>(logits, output, 7); break;
            case "zero row length with logits": Softmax.Compute<float>(logits, output, 0); break;
            case "axis too large": Softmax.Compute<float>(logits, output, [4, 6], 2); break;
            case "axis too small": Softmax.Compute<float>(logits, output, [4, 6], -3); break;
            case "dimensions do not match": Softmax.Compute<float>(logits, output, [4, 5], 1); break;
            case "dimensions whose product is 0 in 64 bits": Softmax.Compute<float>([], [], [1 << 30, 1 << 30, 16], 1); break;
            case "negative dimension": Softmax.Compute<float>(logits, output, [-4, -6], 1); break;
            case "NaN scale": Softmax.Compute<float>(logits, output, 6, new() { Scale = double.NaN }); break;
            case "infinite scale": Softmax.Compute<float>(logits, output, 6, new() { Scale = 1 / 0.0 }); break;
            case "NaN cap": Softmax.Compute<float>(logits, output, 6, new() { SoftCap = double.NaN }); break;
            case "negative cap": Softmax.Compute<float>(logits, output, 6, new() { SoftCap = -1 }); break;
            case "mask of odd length": Softmax.Compute<float>(logits, output, 6, new() { AdditiveMask = new float[7] }); break;
            case "boolean mask of odd length": Softmax.Compute<float>(logits, output, 6, new() { BooleanMask = new bool[12] }); break;
            case "too few row lengths": Softmax.Compute<float>(logits, output, 6, new() { RowLengths = new int[3] }); break;
            case "row length beyond the row": Softmax.Compute<float>(logits, output, 6, new() { RowLengths = new[] { 1, 2, 3, 7 } }); break;
            case "negative length of a row": Softmax.Compute<float>(logits, output, 6, new() { RowLengths = new[] { 1, 2, 3, -1 } }); break;
            case "causal count does not divide": Softmax.Compute<float>(logits, output, 6, new() { Causal = true, CausalQueryCount = 3 }); break;
            case "causal count without causal": Softmax.Compute<float>(logits, output, 6, new() { CausalQueryCount = 2 }); break;
            case "lengths along another axis": Softmax.Compute<float>(logits, output, [4, 6], 0, new() { RowLengths = new int[6] }); break;
            case "overlap by one": Softmax.Compute<float>(logits, shared.AsSpan(1), 6); break;
            case "mask overlaps destination": Softmax.Compute<float>(logits, output, 6, new() { AdditiveMask = output.AsSpan(0, 6) }); break;
            case "sums overlap logits": Softmax.LogSumExp<float>(logits, logits, 6); break;
            case "negative parallelism": Softmax.Compute<float>(logits, output, 6, new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }); break;
            case "unknown variant": Softmax.Compute<float>(logits, output, 6, new() { Kernel = new() { Variant = "softmax/f32/cpu/abacus" } }); break;
            case "matrix shapes differ": Softmax.Compute(new ReadOnlySpan2D<float>(shared, 4, 6), new Span2D<float>(output, 6, 4)); break;
            case "top-k of too many": Softmax.TopK<float>(logits, output, indices, 6, 7); break;
            case "top-k of a negative count": Softmax.TopK<float>(logits, output, indices, 6, -1); break;
            case "top-k values too short": Softmax.TopK<float>(logits, output.AsSpan(0, 7), indices, 6, 2); break;
            case "top-k indices too short": Softmax.TopK<float>(logits, output, indices.AsSpan(0, 7), 6, 2); break;
            case "gradient of other length": Softmax.Backward<float>(logits, logits[..18], output, 6); break;
            case "gradient destination too short": Softmax.Backward<float>(logits, logits, output.AsSpan(0, 5), 6); break;
            case "gradient cap without logits": Softmax.Backward<float>(logits, logits, output, 6, new() { SoftCap = 3 }); break;
            case "gradient overlap by one": Softmax.Backward<float>(logits, new float[24], shared.AsSpan(1), 6); break;
            default: throw new InvalidOperationException(call);
        }
    }

    [Fact]
    public void MoreRowsThanAnIntCountsAreRefused()
    {
        // Buffers on a device may hold that many.
        Assert.Equal("rowLength", Assert.ThrowsAny<ArgumentException>(() => SoftmaxChecks.Rows(1L << 31, 1, "rowLength", "logits")).ParamName);
        Assert.Equal("rowLength", Assert.ThrowsAny<ArgumentException>(() => SoftmaxChecks.Rows(3L << 32, 3, "rowLength", "logits")).ParamName);
        Assert.Equal(int.MaxValue, SoftmaxChecks.Rows(int.MaxValue, 1, "rowLength", "logits").OuterCount);
        Assert.Equal("logits", Assert.ThrowsAny<ArgumentException>(() => SoftmaxChecks.Extent(1L << 31, "logits")).ParamName);
    }

    [Fact]
    public void OtherElementTypesAreRefused()
    {
        Assert.Throws<NotSupportedException>(() => Softmax.Compute<decimal>(new decimal[4], new decimal[4], 2));
        // Types that other families have kernels for.
        Assert.Throws<NotSupportedException>(() => Softmax.LogSumExp<int>(new int[4], new int[2], 2));
        Assert.Throws<NotSupportedException>(() => Softmax.TopK<long>(new long[4], new long[2], new int[2], 2, 1));
        Assert.Throws<NotSupportedException>(() => Softmax.Backward<bool>(new bool[4], new bool[4], new bool[4], 2));
    }

    [Fact]
    public void EmptyInputIsNothingToDo()
    {
        Softmax.Compute<float>([], [], 0);
        Softmax.Compute<float>([], [], 5);
        Softmax.Compute<float>([], [], [0, 3], 1);
        Softmax.TopK<float>([], [], [], 5, 2);
        Softmax.Backward<float>([], [], [], 4);
        float[] sums = [1, 2];
        Softmax.LogSumExp<float>([], sums, 0);
        Assert.Equal([float.NegativeInfinity, float.NegativeInfinity], sums);
    }

    [Fact]
    public void CancelledCallsThrow()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() =>
            Softmax.Compute<float>(new float[8], new float[8], 4, new() { Kernel = new() { CancellationToken = cancelled } }));
    }

    [Fact]
    public void MissingInstructionsAreNamed()
    {
        KernelVariant? missing = KernelInfo.Catalogue.SelectMany(d => d.Variants)
            .FirstOrDefault(v => v.Availability != VariantAvailability.Available && v.Types == "f32");
        Assert.NotNull(missing); // no machine has both AVX2 and AdvSimd
        PlatformNotSupportedException refused = Assert.Throws<PlatformNotSupportedException>(
            () => Softmax.Compute<float>(new float[4], new float[4], 4, new() { Kernel = new() { Variant = missing.Identity } }));
        Assert.Contains(missing.Identity, refused.Message, StringComparison.Ordinal);
        Assert.Contains(missing.Reason, refused.Message, StringComparison.Ordinal);
    }
}
