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

    public AttentionGradientProblem(in AttentionProblem<T> forward, ReadOnlySpan<float> outputGradient, ReadOnlySpan<float> logSumExp, Span<float> queryGradient, Span<float> keyGradient, Span<float> valueGradient)
    {
        AttentionChecks.Length(outputGradient.Length, forward.Queries.Length, nameof(outputGradient));
        AttentionChecks.Length(logSumExp.Length, (long)forward.QueryCount * forward.Shape.QueryHeads, nameof(logSumExp));
        AttentionChecks.Destination(queryGradient.Length, forward.Queries.Length, nameof(queryGradient));
        AttentionChecks.Destination(keyGradient.Length, forward.Keys.Length, nameof(keyGradient));
        AttentionChecks.Destination(valueGradient.Length, forward.Values.Length, nameof(valueGradient));
        if (!forward.Options.ColumnSums.IsEmpty)
            throw new ArgumentException("column sums belong to the forward call", nameof(AttentionOptions.ColumnSums));
        CheckDisjoint(forward, outputGradient, logSumExp, queryGradient, nameof(queryGradient));
        CheckDisjoint(forward, outputGradient, logSumExp, keyGradient, nameof(keyGradient));
        CheckDisjoint(forward, outputGradient, logSumExp, valueGradient, nameof(valueGradient));
        AttentionChecks.Disjoint<float, float>(queryGradient, keyGradient, nameof(queryGradient), nameof(keyGradient));
        AttentionChecks.Disjoint<float, float>(queryGradient, valueGradient, nameof(queryGradient), nameof(valueGradient));
        AttentionChecks.Disjoint<float, float>(keyGradient, valueGradient, nameof(keyGradient), nameof(valueGradient));
        Forward = forward;
        OutputGradient = outputGradient;
        LogSumExp = logSumExp;
        QueryGradient = queryGradient[..forward.Queries.Length];
        KeyGradient = keyGradient[..forward.Keys.Length];
        ValueGradient = valueGradient[..forward.Values.Length];
    }

    private static void CheckDisjoint(in AttentionProblem<T> forward, ReadOnlySpan<float> outputGradient, ReadOnlySpan<float> logSumExp, ReadOnlySpan<float> gradient, string name)
    {
        AttentionChecks.Disjoint(forward.Queries, gradient, AttentionProblem<T>.QueriesName, name);
        AttentionChecks.Disjoint(forward.Keys, gradient, AttentionProblem<T>.KeysName, name);
        AttentionChecks.Disjoint(forward.Values, gradient, AttentionProblem<T>.ValuesName, name);
        AttentionChecks.Disjoint<float, float>(forward.Output, gradient, AttentionProblem<T>.OutputName, name);
        AttentionChecks.Disjoint(outputGradient, gradient, nameof(outputGradient), name);
        AttentionChecks.Disjoint(logSumExp, gradient, nameof(logSumExp), name);
    }
}
