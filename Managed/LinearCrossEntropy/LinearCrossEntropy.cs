using Kernels.Core.Checks;
using Kernels.Core.LinearCrossEntropy;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// The cross-entropy of a linear classifier over a vocabulary, as at the head of a language model, without its logits: z[t, j] = sum over k of
/// hidden[t, k] weights[j, k] + bias[j];
/// log-sum-exp s[t] = log sum over j of exp(z[t, j]); log-probability of the target y = z[t, y] - s[t]; loss = -log-probability.
/// </summary>
/// <remarks>
/// <para>After Wijmans et al., "Cut Your Losses in Large-Vocabulary Language Models" (arXiv 2411.09009), and the head of StreamBP (arXiv
/// 2506.03077): logits exist as tiles of up to 1024 tokens by
/// 256 words, one for each thread, rented from <see cref="System.Buffers.ArrayPool{T}.Shared"/> together with up to 1 MiB of sums; nothing is
/// allocated once that is warm.</para>
/// <para>Everything is <see cref="float"/>, row-major. Logits are summed in float from the bias on, with one rounding for each element of a hidden
/// state; exponentials' sums in double. With u = 2^-24,
/// E the largest over all words j of width u (|bias[j]| + sum over k of |hidden[t, k] weights[j, k]|), and but for terms in u², a log-sum-exp is off
/// by at most E + 5 u + u |s|, a loss and a
/// log-probability by 2 E + 5 u + u |loss|.</para>
/// <para>A token's results are the same bits for any number of threads and beside any other tokens. A vocabulary of one word gives exactly 0. A
/// log-probability is never above 0.</para>
/// <para>Special values: NaN in a logit makes NaN of all three; otherwise plus infinity in a logit makes the log-sum-exp plus infinity, and the
/// log-probability minus infinity, or NaN where it is the target's own. A
/// logit of minus infinity excludes its word: if it is the target's, the loss is plus infinity. Where all are minus infinity, the log-sum-exp is
/// too, and loss and log-probability are NaN. Ignored tokens are
/// not read and have 0 everywhere.</para>
/// <para>Complexity O(tokens width vocabulary). Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value,
/// before anything is written; a target is refused unless it is
/// within the vocabulary or the ignored one. Outputs may not overlap inputs or each other.</para>
/// </remarks>
public static class LinearCrossEntropy
{
    /// <summary>The loss of all tokens together: sum, mean, and how many counted.</summary>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weights">[vocabulary, width], as torch's Linear keeps them.</param>
    /// <param name="targets">[tokens]: the right word of each, or the ignored target.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Bias, ignored target, and how to run.</param>
    /// <exception cref="ArgumentException">A span's length is not that of the shape, a target is out of range, or an option is.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public static CrossEntropyReport Loss(
        ReadOnlySpan<float> hidden, ReadOnlySpan<float> weights, ReadOnlySpan<int> targets, LinearClassifierShape shape,
        LinearCrossEntropyOptions options = default) =>
        Run(new LinearCrossEntropyProblem(hidden, weights, targets, shape, options), default, default, default);

    /// <summary>The loss of each token (reduction "none"), and of all together.</summary>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weights">[vocabulary, width].</param>
    /// <param name="targets">[tokens]: the right word of each, or the ignored target.</param>
    /// <param name="losses">[tokens], at least; 0 for ignored ones.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Bias, ignored target, and how to run.</param>
    /// <exception cref="ArgumentException">As for <see cref="Loss"/>, or the output is too short, or overlaps an input.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled; outputs are then partly written.</exception>
    public static CrossEntropyReport TokenLosses(
        ReadOnlySpan<float> hidden, ReadOnlySpan<float> weights, ReadOnlySpan<int> targets, Span<float> losses, LinearClassifierShape shape,
        LinearCrossEntropyOptions options = default)
    {
        var problem = new LinearCrossEntropyProblem(hidden, weights, targets, shape, options);
        return Run(problem, problem.Output(losses, nameof(losses)), default, default);
    }

    /// <summary>The log-probability of each token's target and the log-sum-exp of its logits, what policy gradients and preference losses are made
    /// of.</summary>
    /// <param name="hidden">[tokens, width].</param>
    /// <param name="weights">[vocabulary, width].</param>
    /// <param name="targets">[tokens]: the word of each whose log-probability is asked for, or the ignored target.</param>
    /// <param name="logProbabilities">[tokens], at least; 0 for ignored ones.</param>
    /// <param name="logSumExp">[tokens], at least; 0 for ignored ones. May be empty if not wanted.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Bias, ignored target, and how to run.</param>
    /// <exception cref="ArgumentException">As for <see cref="Loss"/>, or an output is too short, or overlaps an input or the other.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled; outputs are then partly written.</exception>
    public static void LogProbabilities(
        ReadOnlySpan<float> hidden, ReadOnlySpan<float> weights, ReadOnlySpan<int> targets, Span<float> logProbabilities, Span<float> logSumExp,
        LinearClassifierShape shape, LinearCrossEntropyOptions options = default)
    {
        var problem = new LinearCrossEntropyProblem(hidden, weights, targets, shape, options);
        Span<float> probabilities = problem.Output(logProbabilities, nameof(logProbabilities));
        Span<float> sums = logSumExp.IsEmpty ? default : problem.Output(logSumExp, nameof(logSumExp));
        Check.Disjoint<float, float>(probabilities, sums, nameof(logProbabilities), nameof(logSumExp));
        Run(problem, default, probabilities, sums);
    }

    private static unsafe CrossEntropyReport Run(in LinearCrossEntropyProblem problem, Span<float> losses, Span<float> logProbabilities, Span<float> logSumExp)
    {
        ILinearCrossEntropyBackend backend = LinearCrossEntropyVariants.Table.Select(problem.Options.Kernel);
        if (problem.Shape.TokenCount == 0)
            return default;
        fixed (float* hidden = problem.Hidden, weights = problem.Weights, bias = problem.Options.Bias)
        fixed (float* toLosses = losses, toProbabilities = logProbabilities, toSums = logSumExp)
        fixed (int* targets = problem.Targets)
        {
            var rows = new ClassifierRows
            {
                Shape = problem.Shape,
                IgnoredTarget = problem.IgnoredTarget,
                Hidden = hidden,
                Weights = weights,
                Bias = bias,
                Targets = targets,
                Losses = toLosses,
                LogProbabilities = toProbabilities,
                LogSumExp = toSums,
            };
            return new(backend.Forward(rows, problem.Options.Kernel), problem.CountedTokens);
        }
    }
}
