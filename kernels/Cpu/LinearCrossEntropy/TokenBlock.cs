using Kernels.Core.LinearCrossEntropy;

namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>Tokens [First, End) that are computed together: the first and the last one count, of those between some may be ignored.</summary>
internal readonly record struct TokenBlock(int First, int End)
{
    public int Count => End - First;

    /// <summary>The next block from a token on: as many tokens as fit, up to a longer gap of ignored ones. Empty where none is left that counts.</summary>
    public static unsafe TokenBlock Next(in ClassifierRows rows, int from)
    {
        int first = from;
        while (first < rows.Shape.TokenCount && rows.Targets[first] == rows.IgnoredTarget)
            first++;
        int end = first, limit = (int)Math.Min(rows.Shape.TokenCount, (long)first + LinearCrossEntropyTuning.BlockTokens);
        for (int token = first; token < limit && token - end < LinearCrossEntropyTuning.GapTokens; token++)
        {
            if (rows.Targets[token] != rows.IgnoredTarget)
                end = token + 1;
        }
        return new(first, end);
    }
}
