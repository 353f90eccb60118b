using System.Numerics;
using Kernels.Core.Threading;

namespace Kernels.Cpu.Primitives;

/// <summary>One step of stochastic gradient descent with momentum: v = Share v + g, w = w - Rate v.</summary>
internal unsafe struct MomentumStep : IRangeJob
{
    public float* Values, Gradients, Velocity;
    public float Share, Rate;

    public readonly void Run(long begin, long end)
    {
        for (long i = begin; i < end; i++)
        {
            Velocity[i] = Share * Velocity[i] + Gradients[i];
            Values[i] -= Rate * Velocity[i];
        }
    }
}

/// <summary>
/// One step of AdamW (arXiv 1711.05101, algorithm 2): m += MeanPart (g - m), s += SquarePart (g^2 - s), w = Keep w - Rate m / (sqrt(s Correction) + Epsilon).
/// Rounded operation by operation: the bits do not depend on the width of registers.
/// </summary>
internal unsafe struct AdamWStep : IRangeJob
{
    public float* Values, Gradients, Mean, Square;
    public float MeanPart, SquarePart, Rate, Correction, Keep, Epsilon;

    public readonly void Run(long begin, long end)
    {
        long i = begin;
        for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> gradient = Vector.Load(Gradients + i), mean = Vector.Load(Mean + i), square = Vector.Load(Square + i);
            mean += MeanPart * (gradient - mean);
            square += SquarePart * (gradient * gradient - square);
            mean.Store(Mean + i);
            square.Store(Square + i);
            (Keep * Vector.Load(Values + i) - Rate * mean / (Vector.SquareRoot(square * Correction) + new Vector<float>(Epsilon))).Store(Values + i);
        }
        for (; i < end; i++)
        {
            float gradient = Gradients[i];
            Mean[i] += MeanPart * (gradient - Mean[i]);
            Square[i] += SquarePart * (gradient * gradient - Square[i]);
            Values[i] = Keep * Values[i] - Rate * Mean[i] / (MathF.Sqrt(Square[i] * Correction) + Epsilon);
        }
    }
}

/// <summary>How parameters change, and what is asked of their gradients.</summary>
internal static class ParameterSteps
{
    // Elements that a thread takes at a time: some ten microseconds of memory traffic, four arrays read and three written.
    private const long GrainElements = 1 << 14;

    // Below it waking a second thread costs more than it saves.
    private const long ParallelElements = 1 << 17;

    /// <summary>
    /// All elements, on all processors where there are many. A step is not cancelled: half of one would leave parameters that belong to no step.
    /// </summary>
    public static void Run<TStep>(in TStep step, long elements) where TStep : unmanaged, IRangeJob =>
        RangeRunner.Run(step, elements, GrainElements, ThreadPolicy.Threads(elements, ParallelElements, default), CancellationToken.None);

    /// <summary>The sum of squares in double, added to what there is already, in order.</summary>
    public static double AddSquares(double sum, ReadOnlySpan<float> elements)
    {
        foreach (float element in elements)
            sum += (double)element * element;
        return sum;
    }

    /// <summary>Each element times the factor in double, then rounded.</summary>
    public static void Scale(Span<float> elements, double factor)
    {
        foreach (ref float element in elements)
            element = (float)(element * factor);
    }
}
