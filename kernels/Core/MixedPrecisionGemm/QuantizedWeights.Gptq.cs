using Kernels.Core.Checks;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Core.Threading;

namespace Kernels;

public sealed unsafe partial class QuantizedWeights
{
    /// <summary>
    /// Quantises float weights so that the layer's output on calibration data changes least: GPTQ (arXiv 2210.17323). Errors of the first inputs are made up
    /// for by the later ones.
    /// </summary>
    /// <param name="weights">[outputCount, inputCount], row-major; finite.</param>
    /// <param name="outputCount">n, at least 1.</param>
    /// <param name="inputCount">k, at least 1.</param>
    /// <param name="format">Bits, group size and scales; dense.</param>
    /// <param name="hessian">What calibration rows say about the inputs. Weights of inputs that were 0 in all of them become 0.</param>
    /// <param name="options">Damping, order, threads.</param>
    /// <param name="destination">As of <see cref="Pack"/>; with <see cref="GptqOptions.ActOrder"/> there is an order of inputs unless the groups come out
    /// consecutive.</param>
    /// <remarks>
    /// A group's scale is that of <see cref="Pack"/> for its weights as they stand when their turn comes. With a diagonal Hessian the result is that of
    /// <see cref="Pack"/>. Complexity 2/3 k^3 + n k^2 / 2 products; k^2 doubles and floats and n k bytes are allocated beside the packed bytes. The result does
    /// not depend on the number of threads.
    /// </remarks>
    /// <exception cref="ArgumentException">Sizes disagree, a weight is not finite, the Hessian is not positive definite, or a scale exceeds its type or would
    /// be 0 in it.</exception>
    public static QuantizedWeights PackGptq(
        ReadOnlySpan<float> weights, int outputCount, int inputCount, QuantizationFormat format, GptqHessian hessian, GptqOptions options = default,
        PackedMemory? destination = null)
    {
        ArgumentNullException.ThrowIfNull(hessian);
        QuantizedWeightsLayout layout = QuantizedWeightsChecks.Layout(outputCount, inputCount, format);
        if (format.IsSparse)
            throw new ArgumentOutOfRangeException(nameof(format), format.Sparsity, "GPTQ chooses values, not which weights there are");
        Check.Exactly(weights.Length, (long)outputCount * inputCount, nameof(weights));
        QuantizedWeightsChecks.FiniteWithScales(weights, layout, nameof(weights));
        if (hessian.InputCount != inputCount)
            throw new ArgumentException($"it is of {hessian.InputCount} inputs, not {inputCount}", nameof(hessian));
        double damping = options.Damping ?? GptqOptions.DefaultDamping;
        if (!(damping >= 0 && double.IsFinite(damping)))
            throw new ArgumentOutOfRangeException(nameof(options.Damping), damping, "a finite number, 0 or more, is needed");
        int[] order = options.ActOrder ? hessian.DescendingDiagonal() : [.. Enumerable.Range(0, inputCount)];
        float[] factor = hessian.InverseFactor(order, damping);
        var values = new byte[weights.Length];
        var scales = new float[outputCount * layout.GroupCount];
        var zeroPoints = new byte[scales.Length];
        float[] alive = Alive(weights, hessian);
        fixed (float* weight = alive, inverse = factor, scale = scales)
        fixed (int* inputOrder = order)
        fixed (byte* value = values, zeroPoint = zeroPoints)
        {
            var job = new GptqJob(weight, inverse, inputOrder, layout, value, scale, zeroPoint);
            RangeRunner.Run(job, outputCount, GptqJob.Rows, ThreadCount(layout, options.Kernel), options.Kernel.CancellationToken);
        }
        var groups = new int[inputCount];
        for (int i = 0; i < inputCount; i++)
            groups[order[i]] = i / layout.GroupSize;
        return FromQuantized(values, scales, format.HasZeroPoints ? zeroPoints : [], outputCount, inputCount, format, groups, options.Kernel, destination);
    }

    private static float[] Alive(ReadOnlySpan<float> weights, GptqHessian hessian)
    {
        float[] alive = weights.ToArray();
        for (int input = 0; input < hessian.InputCount; input++)
        {
            for (int i = input; hessian.IsDead(input) && i < alive.Length; i += hessian.InputCount)
                alive[i] = 0;
        }
        return alive;
    }
}
