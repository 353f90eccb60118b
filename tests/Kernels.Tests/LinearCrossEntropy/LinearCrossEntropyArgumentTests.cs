namespace Kernels.Tests;

/// <summary>Bad arguments: refused by name and value, before anything is written.</summary>
public sealed class LinearCrossEntropyArgumentTests
{
    private static readonly LinearClassifierShape s_shape = new(TokenCount: 3, Width: 4, VocabularySize: 5);

    private static readonly float[] s_hidden = new float[12], s_weights = new float[20];
    private static readonly int[] s_targets = new int[3];

    private delegate void Call();

    private static void Refused<TException>(string parameter, string value, Call call) where TException : ArgumentException
    {
        TException refused = Assert.Throws<TException>(() => call());
        Assert.Equal(parameter, refused.ParamName);
        Assert.Contains(value, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 4, 5)]
    [InlineData(3, 0, 5)]
    [InlineData(3, -4, 5)]
    [InlineData(3, 4, 0)]
    [InlineData(3, 4, int.MinValue)]
    [InlineData(0, 0, 0)]
    public void ImpossibleShapesAreRefused(int tokens, int width, int words) => Refused<ArgumentOutOfRangeException>(
        "shape", $"{Math.Min(tokens, Math.Min(width, words))}", () => LinearCrossEntropy.Loss(default, default, default, new(tokens, width, words)));

    [Fact]
    public void SizesThatDoNotFit32BitsAreComparedInFull()
    {
        // 2^16 times 2^16 elements are none of 32 bits.
        Refused<ArgumentException>("hidden", "4294967296", () => LinearCrossEntropy.Loss(default, default, default, new(1 << 16, 1 << 16, 1)));
        Refused<ArgumentException>("weights", "4294967296", () => LinearCrossEntropy.Loss(default, default, default, new(0, 1 << 16, 1 << 16)));
    }

    [Fact]
    public void WrongLengthsAreRefused()
    {
        foreach (int off in new[] { -1, 1 })
        {
            Refused<ArgumentException>("hidden", $"{12 + off}", () => LinearCrossEntropy.Loss(new float[12 + off], s_weights, s_targets, s_shape));
            Refused<ArgumentException>("weights", $"{20 + off}", () => LinearCrossEntropy.Loss(s_hidden, new float[20 + off], s_targets, s_shape));
            Refused<ArgumentException>("targets", $"{3 + off}", () => LinearCrossEntropy.Loss(s_hidden, s_weights, new int[3 + off], s_shape));
            Refused<ArgumentException>("Bias", $"{5 + off}", () =>
                LinearCrossEntropy.Loss(s_hidden, s_weights, s_targets, s_shape, new() { Bias = new float[5 + off] }));
        }
        Refused<ArgumentException>("losses", "2", () => LinearCrossEntropy.TokenLosses(s_hidden, s_weights, s_targets, new float[2], s_shape));
        Refused<ArgumentException>("logProbabilities", "0", () =>
            LinearCrossEntropy.LogProbabilities(s_hidden, s_weights, s_targets, default, new float[3], s_shape));
        Refused<ArgumentException>("logSumExp", "2", () =>
            LinearCrossEntropy.LogProbabilities(s_hidden, s_weights, s_targets, new float[3], new float[2], s_shape));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-1)]
    [InlineData(-100, 7)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void TargetsOutOfTheVocabularyAreRefusedByIndexAndValue(int target, int? ignored = null)
    {
        float[] losses = [7, 7, 7];
        Refused<ArgumentOutOfRangeException>("targets", $"token 1", () =>
            LinearCrossEntropy.TokenLosses(s_hidden, s_weights, [0, target, 0], losses, s_shape, new() { IgnoredTarget = ignored }));
        Refused<ArgumentOutOfRangeException>("targets", $"{target}", () =>
            LinearCrossEntropy.TokenLosses(s_hidden, s_weights, [0, target, 0], losses, s_shape, new() { IgnoredTarget = ignored }));
        Assert.Equal([7, 7, 7], losses);
    }

    [Fact]
    public void WrongOptionsAreRefused()
    {
        Refused<ArgumentOutOfRangeException>("MaxDegreeOfParallelism", "-1", () =>
            LinearCrossEntropy.Loss(s_hidden, s_weights, s_targets, s_shape, new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }));
        Refused<ArgumentException>("Variant", "abacus", () =>
            LinearCrossEntropy.Loss(s_hidden, s_weights, s_targets, s_shape, new() { Kernel = new() { Variant = "linear_cross_entropy/f32/cpu/abacus" } }));
        // An empty problem says so too.
        Refused<ArgumentException>("Variant", "abacus", () =>
            LinearCrossEntropy.Loss(default, s_weights, default, s_shape with { TokenCount = 0 }, new() { Kernel = new() { Variant = "abacus" } }));
    }

    [Fact]
    public void OverlapIsRefused()
    {
        var memory = new float[40];
        Refused<ArgumentException>("losses", "hidden", () =>
            LinearCrossEntropy.TokenLosses(memory.AsSpan(0, 12), s_weights, s_targets, memory.AsSpan(11, 3), s_shape));
        Refused<ArgumentException>("losses", "weights", () =>
            LinearCrossEntropy.TokenLosses(s_hidden, memory.AsSpan(2, 20), s_targets, memory.AsSpan(0, 3), s_shape));
        Refused<ArgumentException>("losses", "Bias", () =>
            LinearCrossEntropy.TokenLosses(s_hidden, s_weights, s_targets, memory.AsSpan(0, 3), s_shape, new() { Bias = memory.AsSpan(0, 5) }));
        Refused<ArgumentException>("logSumExp", "logProbabilities", () =>
            LinearCrossEntropy.LogProbabilities(s_hidden, s_weights, s_targets, memory.AsSpan(0, 3), memory.AsSpan(2, 3), s_shape));
        // Room beyond what is written may be anyone's.
        LinearCrossEntropy.TokenLosses(memory.AsSpan(3, 12), s_weights, s_targets, memory.AsSpan(0, 10), s_shape);
    }
}
