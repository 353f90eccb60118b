using Kernels.Core.Checks;

namespace Kernels.Core.SparseAttention;

/// <summary>The gradient of attention over arrays, with every argument checked.</summary>
internal readonly ref struct AttentionGradientProblem<T> where T : unmanaged
{
    public readonly AttentionProblem<T> Forward;
    public readonly ReadOnlySpan<float> OutputGradient;
    public readonly ReadOnlySpan<float> LogSumExp;
    public readonly Span<float> QueryGradient;
    public readonly Span<float> KeyGradient;
    public readonly Span<float> ValueGradient;

    public AttentionGradientProblem(in AttentionProblem<T> forward, ReadOnlySpan<float> outputGradient, ReadOnlySpan<float> logSumExp,
        Span<float> queryGradient, Span<float> keyGradient, Span<float> valueGradient)
    {
        Check.Exactly(outputGradient.Length, forward.Queries.Length, nameof(outputGradient));
        Check.Exactly(logSumExp.Length, (long)forward.QueryCount * forward.Shape.QueryHeads, nameof(logSumExp));
        queryGradient = Check.Written(queryGradient, forward.Queries.Length, nameof(queryGradient));
        keyGradient = Check.Written(keyGradient, forward.Keys.Length, nameof(keyGradient));
        valueGradient = Check.Written(valueGradient, forward.Values.Length, nameof(valueGradient));
        if (!forward.Options.ColumnSums.IsEmpty)
            throw new ArgumentException("column sums belong to the forward call", nameof(AttentionOptions.ColumnSums));
        if (!forward.Options.LogSumExp.IsEmpty)
            throw new ArgumentException("the log-sum-exp is written by the forward call; the backward call reads it as logSumExp",
                nameof(AttentionOptions.LogSumExp));
        CheckDisjoint(forward, outputGradient, logSumExp, queryGradient, nameof(queryGradient));
        CheckDisjoint(forward, outputGradient, logSumExp, keyGradient, nameof(keyGradient));
        CheckDisjoint(forward, outputGradient, logSumExp, valueGradient, nameof(valueGradient));
        Check.Disjoint(queryGradient, keyGradient, nameof(queryGradient), nameof(keyGradient));
        Check.Disjoint(queryGradient, valueGradient, nameof(queryGradient), nameof(valueGradient));
        Check.Disjoint(keyGradient, valueGradient, nameof(keyGradient), nameof(valueGradient));
        Forward = forward;
        OutputGradient = outputGradient;
        LogSumExp = logSumExp;
        QueryGradient = queryGradient;
        KeyGradient = keyGradient;
        ValueGradient = valueGradient;
    }

    private static void CheckDisjoint(in AttentionProblem<T> forward, ReadOnlySpan<float> outputGradient, ReadOnlySpan<float> logSumExp,
        ReadOnlySpan<float> gradient, string name)
    {
        Check.Disjoint(forward.Queries, gradient, AttentionProblem<T>.QueriesName, name);
        Check.Disjoint(forward.Keys, gradient, AttentionProblem<T>.KeysName, name);
        Check.Disjoint(forward.Values, gradient, AttentionProblem<T>.ValuesName, name);
        Check.Disjoint(forward.Output, gradient, AttentionProblem<T>.OutputName, name);
        Check.Disjoint(outputGradient, gradient, nameof(outputGradient), name);
        Check.Disjoint(logSumExp, gradient, nameof(logSumExp), name);
    }
}
