using CommunityToolkit.HighPerformance;
using Kernels.Core.Checks;
using Kernels.Core.Matrices;

namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>A product of activations and quantised weights, with every argument checked: backends trust it.</summary>
internal readonly ref struct MixedPrecisionGemmProblem<T> where T : unmanaged
{
    public const string ActivationsName = "activations", WeightsName = "weights", OutputName = "output";

    public readonly int RowCount;

    /// <summary>Elements from one row's start to the next.</summary>
    public readonly long ActivationStride, OutputStride;

    public readonly ReadOnlySpan<T> Activations;
    public readonly QuantizedWeights Weights;
    public readonly Span<T> Output;
    public readonly MixedPrecisionGemmOptions Options;

    public MixedPrecisionGemmProblem(ReadOnlySpan<T> activations, QuantizedWeights weights, Span<T> output, in MixedPrecisionGemmOptions options)
    {
        CheckTypes(weights);
        RowCount = Check.Rows(activations.Length, weights.InputCount, ActivationsName);
        Output = Check.Written(output, (long)RowCount * weights.OutputCount, OutputName);
        Activations = activations;
        Weights = weights;
        Options = options;
        (ActivationStride, OutputStride) = (weights.InputCount, weights.OutputCount);
        CheckOptions(options, weights);
        CheckDisjoint();
    }

    public MixedPrecisionGemmProblem(ReadOnlySpan2D<T> activations, QuantizedWeights weights, Span2D<T> output, in MixedPrecisionGemmOptions options)
    {
        CheckTypes(weights);
        if (activations.Width != weights.InputCount)
            throw new ArgumentException($"{activations.Width} columns for {weights.InputCount} inputs", ActivationsName);
        if (output.Height != activations.Height || output.Width != weights.OutputCount)
            throw new ArgumentException($"{output.Height} x {output.Width} for a product of {activations.Height} x {weights.OutputCount}", OutputName);
        RowCount = activations.Height;
        (ActivationStride, OutputStride) = (StridedRows.Stride(activations), StridedRows.Stride<T>(output));
        Activations = StridedRows.Flatten(activations, Extent(ActivationStride, activations.Width));
        Output = StridedRows.FlattenWritable(output, Extent(OutputStride, output.Width));
        Weights = weights;
        Options = options;
        CheckOptions(options, weights);
        CheckDisjoint();
    }

    // From the first element to the last, gaps between rows included.
    private long Extent(long stride, int width) => RowCount == 0 ? 0 : (RowCount - 1) * stride + width;

    private static void CheckTypes(QuantizedWeights weights)
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(Half) && typeof(T) != typeof(BrainFloat16))
            throw new NotSupportedException($"The element type {typeof(T)} has no mixed-precision kernels: use float, Half or Kernels.BrainFloat16.");
        ArgumentNullException.ThrowIfNull(weights, WeightsName);
    }

    private void CheckDisjoint()
    {
        Check.Disjoint<T, T>(Activations, Output, ActivationsName, OutputName);
        Check.Disjoint<float, T>(Options.Bias, Output, nameof(Options.Bias), OutputName);
    }

    private static void CheckOptions(in MixedPrecisionGemmOptions options, QuantizedWeights weights)
    {
        Check.Defined(options.Arithmetic, nameof(options.Arithmetic));
        if (options.Arithmetic == GemmArithmetic.Int8Activations && (weights.Format.IsCodebook || weights.Format.IsSparse))
        {
            throw new ArgumentOutOfRangeException(
                nameof(options.Arithmetic), options.Arithmetic,
                $"weights of {weights.Format.Type}, {weights.Format.Sparsity}, are multiplied in {GemmArithmetic.Exact} arithmetic only");
        }
        Check.ExactlyOrEmpty(options.Bias.Length, weights.OutputCount, nameof(options.Bias));
        Check.Kernel(options.Kernel);
    }
}
