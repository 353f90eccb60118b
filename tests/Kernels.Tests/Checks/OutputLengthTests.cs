namespace Kernels.Tests;

/// <summary>
/// One rule at every door: what is only written may be longer than needed, and the rest stays as it is; a shorter one is refused before anything is written.
/// </summary>
public sealed class OutputLengthTests
{
    public static TheoryData<string> Doors => [.. OutputDoors.All.Keys];

    [Theory]
    [MemberData(nameof(Doors))]
    public void LongerOutputsTakeTheSameBytesAndTheRestStays(string door)
    {
        OutputSpans exact = new(extra: 0), longer = new(extra: 7);
        OutputDoors.All[door](exact);
        OutputDoors.All[door](longer);
        Assert.False(exact.AreUntouched);
        Assert.Equal(exact.Written(), longer.Written());
        Assert.True(longer.RestIsUntouched);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public void AShorterOneIsRefusedBeforeAnythingIsWritten(string door)
    {
        var exact = new OutputSpans(extra: 0);
        OutputDoors.All[door](exact);
        for (int output = 0; output < exact.Count; output++)
        {
            var spans = new OutputSpans(extra: 0, shortened: output);
            ArgumentException refusal = Assert.ThrowsAny<ArgumentException>(() => OutputDoors.All[door](spans));
            Assert.NotNull(refusal.ParamName);
            Assert.Contains("too few", refusal.Message);
            Assert.True(spans.AreUntouched, $"output {output}");
        }
    }
}
