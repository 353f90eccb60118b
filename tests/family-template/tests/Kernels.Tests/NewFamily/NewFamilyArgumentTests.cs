namespace Kernels.Tests;

/// <summary>Bad arguments: refused by name and value, before anything is written.</summary>
public sealed class NewFamilyArgumentTests
{
    private delegate void Call();

    private static void Refused<TException>(string parameter, string value, Call call) where TException : ArgumentException
    {
        TException refused = Assert.Throws<TException>(() => call());
        Assert.Equal(parameter, refused.ParamName);
        Assert.Contains(value, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongSizesAreRefused()
    {
        Refused<ArgumentOutOfRangeException>("width", "0", () => NewFamily.Compute(new float[6], new float[6], 0));
        Refused<ArgumentException>("input", "7", () => NewFamily.Compute(new float[7], new float[7], 3));
        Refused<ArgumentException>("output", "5", () => NewFamily.Compute(new float[6], new float[5], 3));
    }

    [Fact]
    public void WrongOptionsAreRefused()
    {
        Refused<ArgumentOutOfRangeException>(
            "MaxDegreeOfParallelism", "-1", () => NewFamily.Compute(new float[6], new float[6], 3, new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }));
        Refused<ArgumentException>(
            "Variant", "abacus", () => NewFamily.Compute(new float[6], new float[6], 3, new() { Kernel = new() { Variant = "abacus" } }));
    }

    [Fact]
    public void OverlapIsRefused()
    {
        var memory = new float[9];
        Refused<ArgumentException>("output", "input", () => NewFamily.Compute(memory.AsSpan(0, 6), memory.AsSpan(3, 6), 3));
    }
}
