namespace Kernels;

/// <summary>The loss of all tokens that counted.</summary>
/// <param name="Sum">Their losses, added up in double in the order of the tokens (reduction "sum"); 0 of none.</param>
/// <param name="CountedTokens">How many they are: those whose target is not the ignored one.</param>
public readonly record struct CrossEntropyReport(double Sum, int CountedTokens)
{
    /// <summary>The loss of a token on average (reduction "mean"); 0 where none counted.</summary>
    public double Mean => CountedTokens == 0 ? 0 : Sum / CountedTokens;
}
