using Kernels.Core.SparseAttention;
using Kernels.Managed;

namespace Kernels;

// From checked spans to a backend: the last place where spans are seen, the only one where they are pinned.
public static partial class SparseAttention
{
    // Sequences described on the stack; batches beyond it are described in an array.
    private const int SequencesOnStack = 16;

    private static unsafe void Run<T>(in AttentionProblem<T> problem) where T : unmanaged
    {
        if (problem.Output.IsEmpty && problem.Options.ColumnSums.IsEmpty)
            return;
        ISparseAttentionBackend backend = SparseAttentionVariants.Of(KeyValueTypes.Of<T>()).Select(problem.Options.Kernel);
        Span<AttentionSequence> sequences = problem.SequenceCount <= SequencesOnStack ? stackalloc AttentionSequence[problem.SequenceCount]
            : new AttentionSequence[problem.SequenceCount];
        problem.Describe(sequences);
        fixed (AttentionSequence* first = sequences)
        fixed (float* queries = problem.Queries, output = problem.Output)
        fixed (T* keys = problem.Keys, values = problem.Values)
        fixed (float* slopes = problem.Options.AlibiSlopes, additive = problem.Options.AdditiveMask, logSumExp = problem.Options.LogSumExp,
            columnSums = problem.Options.ColumnSums)
        fixed (bool* boolean = problem.Options.BooleanMask)
        {
            AttentionCall call = Describe(problem.Shape, problem.Options, queries, output, (long)problem.QueryCount * problem.KeyCount, slopes, additive,
                boolean, logSumExp, columnSums, problem.KeyCount);
            call.Source = Rows(problem.Shape, (byte*)keys, (byte*)values, sizeof(T));
            call.Sequences = first;
            call.SequenceCount = sequences.Length;
            backend.Attend(call, problem.Options.Kernel);
        }
        GC.KeepAlive(problem.Options.BlockMask);
    }

    private static unsafe void Run<T>(in AttentionGradientProblem<T> gradient) where T : unmanaged
    {
        ref readonly AttentionProblem<T> problem = ref gradient.Forward;
        ISparseAttentionBackend backend = SparseAttentionVariants.Of(KeyValueTypes.Of<T>()).Select(problem.Options.Kernel);
        gradient.QueryGradient.Clear();
        gradient.KeyGradient.Clear();
        gradient.ValueGradient.Clear();
        if (problem.Queries.IsEmpty)
            return;
        Span<AttentionSequence> sequences = problem.SequenceCount <= SequencesOnStack ? stackalloc AttentionSequence[problem.SequenceCount]
            : new AttentionSequence[problem.SequenceCount];
        problem.Describe(sequences);
        fixed (AttentionSequence* first = sequences)
        fixed (float* queries = problem.Queries, output = problem.Output, outputGradient = gradient.OutputGradient, logSumExp = gradient.LogSumExp)
        fixed (float* queryGradient = gradient.QueryGradient, keyGradient = gradient.KeyGradient, valueGradient = gradient.ValueGradient)
        fixed (T* keys = problem.Keys, values = problem.Values)
        fixed (float* slopes = problem.Options.AlibiSlopes, additive = problem.Options.AdditiveMask)
        fixed (bool* boolean = problem.Options.BooleanMask)
        {
            AttentionCall call = Describe(problem.Shape, problem.Options, queries, output, (long)problem.QueryCount * problem.KeyCount, slopes, additive,
                boolean, logSumExp, null, problem.KeyCount);
            call.Source = Rows(problem.Shape, (byte*)keys, (byte*)values, sizeof(T));
            call.Sequences = first;
            call.SequenceCount = sequences.Length;
            var gradientCall = new AttentionGradientCall
            {
                Forward = call,
                OutputGradient = outputGradient,
                QueryGradient = queryGradient,
                KeyGradient = keyGradient,
                ValueGradient = valueGradient
            };
            backend.Backward(gradientCall, problem.Options.Kernel);
        }
        GC.KeepAlive(problem.Options.BlockMask);
    }

    private static unsafe void Run(
        ReadOnlySpan<float> queries, KvCache cache, ReadOnlySpan<int> sequenceNumbers, ReadOnlySpan<int> positions, Span<float> output, int queryHeads,
        in AttentionOptions options)
    {
        var problem = new CachedAttentionProblem(queries, cache, sequenceNumbers, positions, output, queryHeads, options);
        if (problem.Output.IsEmpty && options.ColumnSums.IsEmpty)
            return;
        ISparseAttentionBackend backend = SparseAttentionVariants.Of(cache.Options.Type).Select(options.Kernel);
        Span<AttentionSequence> sequences = sequenceNumbers.Length <= SequencesOnStack ? stackalloc AttentionSequence[sequenceNumbers.Length]
            : new AttentionSequence[sequenceNumbers.Length];
        fixed (AttentionSequence* first = sequences)
        fixed (int* selected = positions)
        fixed (float* from = queries, to = problem.Output)
        fixed (float* slopes = options.AlibiSlopes, additive = options.AdditiveMask, logSumExp = options.LogSumExp, columnSums = options.ColumnSums)
        fixed (bool* boolean = options.BooleanMask)
        {
            problem.Describe(sequences, selected);
            AttentionCall call = Describe(problem.Shape, options, from, to, (long)problem.QueryCount * problem.TokenCount, slopes, additive, boolean, logSumExp,
                columnSums, problem.KeyCount);
            call.Source = cache.Pages.Rows;
            call.Planes = cache.Pages.Planes;
            call.Sequences = first;
            call.SequenceCount = sequences.Length;
            backend.Attend(call, options.Kernel);
        }
        GC.KeepAlive(options.BlockMask);
        GC.KeepAlive(cache);
    }

    private static unsafe AttentionCall Describe(
        in AttentionShape shape, in AttentionOptions options, float* queries, float* output, long pairs, float* slopes, float* additive, bool* boolean,
        float* logSumExp, float* columnSums, int keyCount) => new()
        {
            Shape = shape,
            Queries = queries,
            Output = output,
            Scale = ScaleOf(options, shape),
            SoftCap = (float)options.SoftCap,
            Causal = options.Causal,
            Window = options.Window,
            SinkTokens = options.SinkTokens,
            AlibiSlopes = slopes,
            AdditiveMask = additive,
            BooleanMask = boolean,
            AdditiveHeadStride = options.AdditiveMask.Length > pairs ? pairs : 0,
            BooleanHeadStride = options.BooleanMask.Length > pairs ? pairs : 0,
            Blocks = options.BlockMask?.Rows ?? default,
            LogSumExp = logSumExp,
            ColumnSums = columnSums,
            ColumnSumStride = keyCount,
        };

    internal static float ScaleOf(in AttentionOptions options, in AttentionShape shape) => (float)(options.Scale ?? 1 / Math.Sqrt(shape.HeadDimension));

    private static unsafe KeyValueRows Rows(in AttentionShape shape, byte* keys, byte* values, int elementBytes) => new()
    {
        Keys = keys,
        Values = values,
        HeadStride = shape.HeadDimension,
        TokenStride = shape.KeyRowLength,
        ElementBytes = elementBytes,
        HeadDimension = shape.HeadDimension,
    };
}
