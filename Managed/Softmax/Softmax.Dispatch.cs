using CommunityToolkit.HighPerformance;
using Kernels.Core.Matrices;
using Kernels.Core.Softmax;
using Kernels.Managed;

namespace Kernels;

// From checked spans to a backend: the last place where spans are seen, the only one where they are pinned.
public static partial class Softmax
{
    private static unsafe void Run<T>(in SoftmaxProblem<T> problem) where T : unmanaged
    {
        if (problem.Output.IsEmpty)
            return;
        ISoftmaxBackend<T> backend = SoftmaxVariants<T>.Table.Select(problem.Options.Kernel);
        fixed (T* input = problem.Input, output = problem.Output, mask = problem.Options.AdditiveMask)
        fixed (bool* booleanMask = problem.Options.BooleanMask)
        fixed (int* rowLengths = problem.Options.RowLengths)
        {
            backend.Compute(new SoftmaxRows<T>(problem, input, output, mask, booleanMask, rowLengths), problem.Options.Kernel);
        }
    }

    private static unsafe void Run<T>(in SoftmaxTopKProblem<T> problem) where T : unmanaged
    {
        if (problem.Values.IsEmpty)
            return;
        ref readonly SoftmaxProblem<T> logits = ref problem.Rows;
        ISoftmaxBackend<T> backend = SoftmaxVariants<T>.Table.Select(logits.Options.Kernel);
        fixed (T* input = logits.Input, values = problem.Values, mask = logits.Options.AdditiveMask)
        fixed (bool* booleanMask = logits.Options.BooleanMask)
        fixed (int* indices = problem.Indices, rowLengths = logits.Options.RowLengths)
        {
            var rows = new SoftmaxRows<T>(logits, input, null, mask, booleanMask, rowLengths);
            backend.TopK(rows, values, indices, problem.Count, logits.Options.Kernel);
        }
    }

    private static unsafe void Run<T>(in SoftmaxGradientProblem<T> problem) where T : unmanaged
    {
        if (problem.LogitGradient.IsEmpty)
            return;
        ISoftmaxBackend<T> backend = SoftmaxVariants<T>.Table.Select(problem.Options.Kernel);
        fixed (T* outputGradient = problem.OutputGradient, result = problem.Result, logits = problem.Options.Logits, logitGradient = problem.LogitGradient)
        {
            var rows = new SoftmaxGradientRows<T>
            {
                IsLog = problem.IsLog,
                RowCount = problem.Shape.OuterCount,
                RowLength = problem.Shape.RowLength,
                Scale = problem.Options.Scale,
                SoftCap = problem.Options.SoftCap,
                OutputGradient = outputGradient,
                Result = result,
                Logits = logits,
                LogitGradient = logitGradient,
            };
            backend.Backward(rows, problem.Options.Kernel);
        }
    }

    private static void RunStrided<T>(SoftmaxOperation operation, ReadOnlySpan2D<T> logits, Span2D<T> output, in SoftmaxOptions<T> options, string outputName)
        where T : unmanaged
    {
        if (output.Height != logits.Height || output.Width != logits.Width)
            throw new ArgumentException($"{output.Height} x {output.Width} for logits of {logits.Height} x {logits.Width}", outputName);
        var shape = new SoftmaxShape(logits.Height, logits.Width, 1, StridedRows.Stride<T>(logits), StridedRows.Stride<T>(output));
        SoftmaxChecks.Extent(shape.InputExtent, nameof(logits));
        SoftmaxChecks.Extent(shape.OutputExtent, outputName);
        Run(new SoftmaxProblem<T>(operation, shape, StridedRows.Flatten(logits, shape.InputExtent), StridedRows.FlattenWritable(output, shape.OutputExtent),
            options, outputName));
    }

    private static void RunStrided<T>(ReadOnlySpan2D<T> logits, Span<T> logSumExp, in SoftmaxOptions<T> options) where T : unmanaged
    {
        var shape = new SoftmaxShape(logits.Height, logits.Width, 1, StridedRows.Stride(logits), logits.Width);
        SoftmaxChecks.Extent(shape.InputExtent, nameof(logits));
        Run(new SoftmaxProblem<T>(SoftmaxOperation.LogSumExp, shape, StridedRows.Flatten(logits, shape.InputExtent), logSumExp, options, nameof(logSumExp)));
    }
}
