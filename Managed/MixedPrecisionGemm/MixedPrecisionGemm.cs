using CommunityToolkit.HighPerformance;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Managed;

namespace Kernels;

/// <summary>Products of float activations and weights quantised to 4 or 8 bits in groups: the contract of MARLIN (arXiv 2408.11743) on CPUs.</summary>
/// <remarks>
/// <para>output[m, n] = sum over k of activations[m, k] W[n, k] + bias[n], with W = scale (q - zero) as <see cref="QuantizedWeights"/> holds it; any m, n, k
/// from 1 on. Element types of activations and output: <see cref="float"/>; <see cref="Half"/> and <see cref="BrainFloat16"/> as storage with float arithmetic
/// and one rounding at the end. Any other type gets a <see cref="NotSupportedException"/>.</para>
/// <para>Accuracy of <see cref="GemmArithmetic.Exact"/>: sums of a (q - zero) over segments of at most 128 inputs of a group, in order, then times the scale;
/// all in float. With L inputs in a segment and S segments the error is at most (L + S + 4) 2^-24 sum |a w|. With <see cref="GemmArithmetic.Int8Activations"/>
/// each activation first moves by at most 1/254 of the largest of its segment (and 2^-149); the integer sums that follow are exact, no intermediate can
/// overflow or saturate, and what follows them is within (S + 5) 2^-24 sum |a w|.</para>
/// <para>Special values: NaN and infinities of a row go through float arithmetic in the exact mode; in the eight-bit mode they make the row's results
/// NaN.</para>
/// <para>Complexity O(m n k). At small m the packed weights are read once, and that bounds the time; at large m they are read once for every 128 rows.
/// Scratch for min(m, 128) rows of activations is rented from <see cref="System.Buffers.ArrayPool{T}.Shared"/>; nothing else is allocated.</para>
/// <para>Results are bit-identical for every number of threads, and a row does not depend on the other rows or on their number.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value, before anything is written.</para>
/// </remarks>
public static class MixedPrecisionGemm
{
    /// <summary>Multiplies rows of activations with quantised weights.</summary>
    /// <param name="activations">[m, k], row-major; k is the weights' <see cref="QuantizedWeights.InputCount"/> and divides the number of elements, which gives
    /// m.</param>
    /// <param name="weights">W, [n, k].</param>
    /// <param name="output">[m, n], row-major; at least that many elements. May not overlap the activations or the bias.</param>
    /// <param name="options">Arithmetic, bias, and how to run.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    public static void Multiply<T>(ReadOnlySpan<T> activations, QuantizedWeights weights, Span<T> output, MixedPrecisionGemmOptions options = default)
        where T : unmanaged =>
        Run(new MixedPrecisionGemmProblem<T>(activations, weights, output, options));

    /// <summary>Multiplies rows that have gaps between them.</summary>
    /// <param name="activations">[m, k]; k is the weights' <see cref="QuantizedWeights.InputCount"/>.</param>
    /// <param name="weights">W, [n, k].</param>
    /// <param name="output">[m, n]. What lies between its first and last element may not overlap the bias, nor what lies between those of the activations; gaps
    /// stay as they are.</param>
    /// <param name="options">Arithmetic, bias, and how to run.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    public static void Multiply<T>(ReadOnlySpan2D<T> activations, QuantizedWeights weights, Span2D<T> output, MixedPrecisionGemmOptions options = default)
        where T : unmanaged =>
        Run(new MixedPrecisionGemmProblem<T>(activations, weights, output, options));

    private static unsafe void Run<T>(in MixedPrecisionGemmProblem<T> problem) where T : unmanaged
    {
        QuantizedWeights weights = problem.Weights;
        MixedPrecisionGemmOptions options = problem.Options;
        IMixedPrecisionGemmBackend<T> backend = MixedPrecisionGemmVariants<T>.Of(weights.Format, options.Arithmetic).Select(options.Kernel);
        if (problem.RowCount == 0)
            return;
        using PackedLease lease = weights.Acquire();
        fixed (T* first = problem.Activations, result = problem.Output)
        fixed (float* bias = options.Bias)
        {
            var rows = new MixedPrecisionGemmRows<T>
            {
                RowCount = problem.RowCount,
                ActivationStride = problem.ActivationStride,
                OutputStride = problem.OutputStride,
                Arithmetic = options.Arithmetic,
                Layout = weights.Layout,
                Weights = lease.Start,
                InputOrder = weights.InputOrder,
                Activations = first,
                Output = result,
                Bias = bias,
            };
            backend.Multiply(rows, options.Kernel);
        }
    }
}
