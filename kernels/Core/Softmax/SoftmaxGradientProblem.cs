using Kernels.Core.Checks;
using Kernels.Core.Softmax;

namespace Kernels;

/// <summary>How the gradient of a softmax is to be computed; the counterpart of the forward call's <see cref="SoftmaxOptions{T}"/>.</summary>
/// <typeparam name="T">The element type.</typeparam>
public readonly ref struct SoftmaxGradientOptions<T> where T : unmanaged
{
    private readonly double? _scale;

    /// <summary>The forward call's scale; 1 by default.</summary>
    public double Scale
    {
        get => _scale ?? 1;
        init => _scale = value;
    }

    /// <summary>The forward call's soft cap; 0 (the default) for none. With it, <see cref="Logits"/> is needed.</summary>
    public double SoftCap { get; init; }

    /// <summary>
    /// The forward call's logits, as many as the gradient has elements; needed only with a soft cap, whose slope is 1 - tanh²(Scale x / SoftCap).
    /// </summary>
    public ReadOnlySpan<T> Logits { get; init; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Kernel { get; init; }
}

/// <summary>The gradient of a softmax or log-softmax along contiguous rows, with every argument checked.</summary>
internal readonly ref struct SoftmaxGradientProblem<T> where T : unmanaged
{
    public const string OutputGradientName = "outputGradient", LogitGradientName = "logitGradient";

    /// <summary>Whether <see cref="Result"/> holds log-probabilities.</summary>
    public readonly bool IsLog;
    public readonly SoftmaxShape Shape;
    public readonly ReadOnlySpan<T> OutputGradient;
    public readonly ReadOnlySpan<T> Result;
    public readonly Span<T> LogitGradient;
    public readonly SoftmaxGradientOptions<T> Options;

    public SoftmaxGradientProblem(
        bool isLog, ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> result, Span<T> logitGradient, int rowLength, SoftmaxGradientOptions<T> options,
        string resultName)
    {
        SoftmaxChecks.ElementType<T>();
        Shape = SoftmaxChecks.Rows(outputGradient.Length, rowLength, SoftmaxProblem<T>.RowLengthName, OutputGradientName);
        Check.Exactly(result.Length, outputGradient.Length, resultName);
        LogitGradient = Check.Written(logitGradient, outputGradient.Length, LogitGradientName);
        SoftmaxChecks.Scalars<T>(options.Scale, options.SoftCap);
        Check.Kernel(options.Kernel);
        int logitsNeeded = options.SoftCap > 0 ? outputGradient.Length : 0;
        if (options.Logits.Length != logitsNeeded)
            throw new ArgumentException($"{options.Logits.Length} logits, but a soft cap of {options.SoftCap} needs {logitsNeeded}", nameof(options.Logits));
        IsLog = isLog;
        OutputGradient = outputGradient;
        Result = result;
        Options = options;
        SoftmaxChecks.Overlap(outputGradient, LogitGradient, sameStrides: true, LogitGradientName);
        SoftmaxChecks.Overlap(result, LogitGradient, sameStrides: true, LogitGradientName);
        SoftmaxChecks.Overlap(options.Logits, LogitGradient, sameStrides: true, LogitGradientName);
    }
}

/// <summary>What a backend sees of a <see cref="SoftmaxGradientProblem{T}"/>: contiguous rows at pinned addresses.</summary>
internal unsafe struct SoftmaxGradientRows<T> where T : unmanaged
{
    public bool IsLog;
    public int RowCount;
    public int RowLength;
    public double Scale;
    public double SoftCap;
    public T* OutputGradient;
    public T* Result;
    public T* Logits;
    public T* LogitGradient;
}
