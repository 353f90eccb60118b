using Kernels.Core.Checks;

namespace Kernels.Core.SparseAttention;

/// <summary>Attention over arrays of keys and values, with every argument checked: backends trust it.</summary>
internal readonly ref struct AttentionProblem<T> where T : unmanaged
{
    public const string QueriesName = "queries", KeysName = "keys", ValuesName = "values", OutputName = "output", ShapeName = "shape";

    public readonly AttentionShape Shape;
    public readonly int QueryCount;
    public readonly int KeyCount;
    public readonly int SequenceCount;
    public readonly ReadOnlySpan<float> Queries;
    public readonly ReadOnlySpan<T> Keys;
    public readonly ReadOnlySpan<T> Values;

    /// <summary>Written by the forward call, at its pinned address; read by the gradient.</summary>
    public readonly ReadOnlySpan<float> Output;
    public readonly AttentionOptions Options;

    public AttentionProblem(ReadOnlySpan<float> queries, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, ReadOnlySpan<float> output, in AttentionShape shape,
        in AttentionOptions options)
    {
        KeyValueTypes.Of<T>();
        shape.Check(ShapeName);
        QueryCount = Check.Rows(queries.Length, shape.QueryRowLength, QueriesName);
        KeyCount = Check.Rows(keys.Length, shape.KeyRowLength, KeysName);
        Check.Exactly(values.Length, keys.Length, ValuesName);
        Check.AtLeast(output.Length, queries.Length, OutputName);
        AttentionChecks.Scalars(options);
        AttentionChecks.Offsets(options.QueryOffsets, QueryCount, nameof(options.QueryOffsets));
        AttentionChecks.Offsets(options.KeyOffsets, KeyCount, nameof(options.KeyOffsets));
        if (options.KeyOffsets.Length != options.QueryOffsets.Length)
            throw new ArgumentException($"{options.KeyOffsets.Length} offsets of keys for {options.QueryOffsets.Length} of queries",
                nameof(options.KeyOffsets));
        if (options.SharedPrefix && options.KeyOffsets.Length < 2)
            throw new ArgumentException("a shared prefix is the first of several sequences, whose offsets are needed", nameof(options.SharedPrefix));
        SequenceCount = options.QueryOffsets.IsEmpty ? 1 : options.QueryOffsets.Length - 1;
        AttentionChecks.Extents(options, shape, QueryCount, KeyCount, SequenceCount);
        Output = output[..queries.Length];
        CheckDisjoint(queries, keys, values, Output, options);
        Shape = shape;
        Queries = queries;
        Keys = keys;
        Values = values;
        Options = options;
    }

    /// <summary>The sequences, by the options' offsets.</summary>
    public void Describe(Span<AttentionSequence> sequences)
    {
        int prefix = Options.SharedPrefix ? Options.KeyOffsets[1] : 0;
        for (int i = 0; i < sequences.Length; i++)
        {
            int shared = i == 0 ? 0 : prefix;
            (int queryBegin, int queryEnd) = Options.QueryOffsets.IsEmpty ? (0, QueryCount) : (Options.QueryOffsets[i], Options.QueryOffsets[i + 1]);
            (int keyBegin, int keyEnd) = Options.KeyOffsets.IsEmpty ? (0, KeyCount) : (Options.KeyOffsets[i], Options.KeyOffsets[i + 1]);
            int keys = shared + keyEnd - keyBegin;
            sequences[i] = new AttentionSequence
            {
                QueryBegin = queryBegin,
                QueryCount = queryEnd - queryBegin,
                KeyBegin = keyBegin,
                PrefixCount = shared,
                KeyCount = keys,
                Length = keys
            };
        }
    }

    private static void CheckDisjoint(ReadOnlySpan<float> queries, ReadOnlySpan<T> keys, ReadOnlySpan<T> values, ReadOnlySpan<float> output,
        in AttentionOptions options)
    {
        Check.Disjoint(queries, output, QueriesName, OutputName);
        Check.Disjoint(keys, output, KeysName, OutputName);
        Check.Disjoint(values, output, ValuesName, OutputName);
        Check.Disjoint(output, options.LogSumExp, OutputName, nameof(options.LogSumExp));
        Check.Disjoint(output, options.ColumnSums, OutputName, nameof(options.ColumnSums));
    }
}
