namespace Kernels.Tests;

/// <summary>The family's doors that write into spans of the caller.</summary>
internal static class LinearCrossEntropyOutputDoors
{
    private static readonly ClassifierData s_data = new(new(TokenCount: 5, Width: 3, VocabularySize: 4));

    public static Dictionary<string, Action<OutputSpans>> All { get; } = new()
    {
        ["losses"] = spans => LinearCrossEntropy.TokenLosses(s_data.Hidden, s_data.Weights, s_data.Targets, spans.Of<float>(5), s_data.Shape),
        ["log-probabilities of words"] = spans =>
            LinearCrossEntropy.LogProbabilities(s_data.Hidden, s_data.Weights, s_data.Targets, spans.Of<float>(5), spans.Of<float>(5), s_data.Shape),
    };
}
