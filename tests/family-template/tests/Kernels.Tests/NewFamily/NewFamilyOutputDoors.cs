namespace Kernels.Tests;

/// <summary>The family's doors that write into spans of the caller, for <see cref="OutputLengthTests"/>.</summary>
internal static class NewFamilyOutputDoors
{
    public static Dictionary<string, Action<OutputSpans>> All { get; } = new()
    {
        ["new family"] = spans => NewFamily.Compute([1, 2, 3, 4, 5, 6], spans.Of<float>(6), width: 3),
    };
}
