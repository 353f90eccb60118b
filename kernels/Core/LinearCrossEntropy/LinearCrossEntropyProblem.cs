using Kernels.Core.Checks;

namespace Kernels.Core.LinearCrossEntropy;

/// <summary>The loss of a linear classifier, with every argument checked: backends trust it. Outputs that are empty are not wanted.</summary>
internal readonly ref struct LinearCrossEntropyProblem
{
    private const string HiddenName = "hidden", WeightsName = "weights", TargetsName = "targets", ShapeName = "shape";

    public readonly LinearClassifierShape Shape;
    public readonly ReadOnlySpan<float> Hidden, Weights;
    public readonly ReadOnlySpan<int> Targets;
    public readonly LinearCrossEntropyOptions Options;
    public readonly int IgnoredTarget, CountedTokens;

    public LinearCrossEntropyProblem(
        ReadOnlySpan<float> hidden, ReadOnlySpan<float> weights, ReadOnlySpan<int> targets, in LinearClassifierShape shape,
        in LinearCrossEntropyOptions options)
    {
        if (shape.TokenCount < 0 || shape.Width < 1 || shape.VocabularySize < 1)
            throw new ArgumentOutOfRangeException(ShapeName, shape, "a negative number of tokens, or less than one element or word");
        Check.Exactly(hidden.Length, (long)shape.TokenCount * shape.Width, HiddenName);
        Check.Exactly(weights.Length, (long)shape.VocabularySize * shape.Width, WeightsName);
        Check.Exactly(targets.Length, shape.TokenCount, TargetsName);
        Check.ExactlyOrEmpty(options.Bias.Length, shape.VocabularySize, nameof(options.Bias));
        Check.Kernel(options.Kernel);
        Shape = shape;
        Hidden = hidden;
        Weights = weights;
        Targets = targets;
        Options = options;
        IgnoredTarget = options.IgnoredTarget ?? LinearCrossEntropyOptions.DefaultIgnoredTarget;
        CountedTokens = CountTargets(targets, shape.VocabularySize, IgnoredTarget);
    }

    /// <summary>One output of a number for each token: room for all of them, apart from every input.</summary>
    public Span<float> Output(Span<float> output, string name)
    {
        Span<float> written = Check.Written(output, Shape.TokenCount, name);
        Check.Disjoint<float, float>(Hidden, written, HiddenName, name);
        Check.Disjoint<float, float>(Weights, written, WeightsName, name);
        Check.Disjoint<int, float>(Targets, written, TargetsName, name);
        Check.Disjoint<float, float>(Options.Bias, written, nameof(Options.Bias), name);
        return written;
    }

    private static int CountTargets(ReadOnlySpan<int> targets, int vocabularySize, int ignored)
    {
        int count = 0;
        for (int token = 0; token < targets.Length; token++)
        {
            if (targets[token] == ignored)
                continue;
            if ((uint)targets[token] >= (uint)vocabularySize)
                throw new ArgumentOutOfRangeException(
                    TargetsName, targets[token], $"the target of token {token} is neither within 0 to {vocabularySize - 1} nor the ignored {ignored}");
            count++;
        }
        return count;
    }
}
