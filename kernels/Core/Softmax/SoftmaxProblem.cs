using Kernels.Core.Checks;

namespace Kernels.Core.Softmax;

/// <summary>A softmax, log-softmax or log-sum-exp over the rows of an array, with every argument checked: backends trust it.</summary>
internal readonly ref struct SoftmaxProblem<T> where T : unmanaged
{
    /// <summary>The parameter names of the public methods, for the messages.</summary>
    public const string LogitsName = "logits", RowLengthName = "rowLength", DimensionsName = "dimensions", OptionsName = "options";

    public readonly SoftmaxOperation Operation;
    public readonly SoftmaxShape Shape;
    public readonly ReadOnlySpan<T> Input;
    public readonly Span<T> Output;
    public readonly SoftmaxOptions<T> Options;

    public SoftmaxProblem(
        SoftmaxOperation operation, SoftmaxShape shape, ReadOnlySpan<T> input, Span<T> output, in SoftmaxOptions<T> options, string outputName)
    {
        SoftmaxChecks.ElementType<T>();
        long written = operation == SoftmaxOperation.LogSumExp ? shape.RowCount : shape.OutputExtent;
        SoftmaxChecks.Options(options, shape, OptionsName);
        Check.AtLeast(output.Length, written, outputName);
        Operation = operation;
        Shape = shape;
        Input = input[..(int)shape.InputExtent];
        Output = output[..(int)written];
        Options = options;
        CheckOverlaps(outputName);
    }

    private SoftmaxProblem(SoftmaxShape shape, ReadOnlySpan<T> input, in SoftmaxOptions<T> options)
    {
        SoftmaxChecks.ElementType<T>();
        SoftmaxChecks.Options(options, shape, OptionsName);
        Operation = SoftmaxOperation.LogSumExp;
        Shape = shape;
        Input = input;
        Options = options;
    }

    /// <summary>The rows of a problem whose outputs are checked elsewhere.</summary>
    public static SoftmaxProblem<T> WithoutOutput(SoftmaxShape shape, ReadOnlySpan<T> input, in SoftmaxOptions<T> options) => new(shape, input, options);

    private void CheckOverlaps(string outputName)
    {
        if (Operation == SoftmaxOperation.LogSumExp)
            Check.Disjoint(Input, Output, LogitsName, outputName);
        else
            SoftmaxChecks.Overlap(Input, Output, Shape.InputRowStride == Shape.OutputRowStride, outputName);
        Check.Disjoint(Options.AdditiveMask, Output, nameof(Options.AdditiveMask), outputName);
        Check.Disjoint(Options.BooleanMask, Output, nameof(Options.BooleanMask), outputName);
        Check.Disjoint(Options.RowLengths, Output, nameof(Options.RowLengths), outputName);
    }
}
