namespace Kernels.Managed;

/// <summary>The check of what tokens and heads are ranked by: NaN has no rank.</summary>
internal static class FiniteScores
{
    /// <param name="scores">Probabilities, votes or outputs.</param>
    /// <param name="what">Their name, and of what they are.</param>
    /// <exception cref="NotFiniteNumberException">One is not finite.</exception>
    public static void Check(ReadOnlySpan<float> scores, string what)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            if (!float.IsFinite(scores[i]))
                throw new NotFiniteNumberException(
                    $"{what}: element {i} is {scores[i]}. A query, key or value is not finite, or a logit above 2^21", scores[i]);
        }
    }
}
