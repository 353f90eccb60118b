using Kernels.Core.Checks;
using Kernels.Core.Softmax;

namespace Kernels.Gpu;

// Gradients along contiguous rows.
public sealed partial class SoftmaxGpu
{
    /// <summary>Gradient of <see cref="Compute{T}(GpuBuffer{T}, GpuBuffer{T}, int, SoftmaxOptions{T})"/>: Scale (g - sum(g p)) p; 0 where p is 0.</summary>
    /// <remarks>
    /// A position with p = 0 took no part: what stands there in <paramref name="outputGradient"/>, NaN included, has no influence. With any other NaN or
    /// infinity its row's gradient is not finite where p is not 0. Error at most 1e-6 Scale p (|g| + sum|g p|), and one rounding of 16-bit results. One group
    /// of threads a row, whatever its length; the same bits whatever the other rows. Two reads of both inputs and one write.
    /// </remarks>
    /// <param name="outputGradient">g, the gradient by the probabilities, [rows, rowLength]: the whole buffer.</param>
    /// <param name="probabilities">p, as many elements.</param>
    /// <param name="logitGradient">At least as many elements; may be either input itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of elements.</param>
    /// <param name="options">Scale. A soft cap is refused with a <see cref="NotSupportedException"/>.</param>
    public void Backward<T>(GpuBuffer<T> outputGradient, GpuBuffer<T> probabilities, GpuBuffer<T> logitGradient, int rowLength,
        SoftmaxGradientOptions<T> options = default) where T : unmanaged =>
        RunGradient(isLog: false, outputGradient, probabilities, logitGradient, rowLength, options, nameof(probabilities));

    /// <summary>
    /// Gradient of <see cref="LogSoftmax{T}(GpuBuffer{T}, GpuBuffer{T}, int, SoftmaxOptions{T})"/>: Scale (g - exp(l) sum(g)); 0 where l is minus infinity.
    /// </summary>
    /// <remarks>
    /// A position with l of minus infinity took no part: what stands there in <paramref name="outputGradient"/>, NaN included, has no influence. Error at most
    /// 1e-6 Scale (|g| + exp(l) sum|g|), and one rounding of 16-bit results. Otherwise as
    /// <see cref="Backward{T}(GpuBuffer{T}, GpuBuffer{T}, GpuBuffer{T}, int, SoftmaxGradientOptions{T})"/>.
    /// </remarks>
    /// <param name="outputGradient">g, the gradient by the log-probabilities, [rows, rowLength]: the whole buffer.</param>
    /// <param name="logProbabilities">l, as many elements.</param>
    /// <param name="logitGradient">At least as many elements; may be either input itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of elements.</param>
    /// <param name="options">Scale. A soft cap is refused with a <see cref="NotSupportedException"/>.</param>
    public void LogBackward<T>(GpuBuffer<T> outputGradient, GpuBuffer<T> logProbabilities, GpuBuffer<T> logitGradient, int rowLength,
        SoftmaxGradientOptions<T> options = default) where T : unmanaged =>
        RunGradient(isLog: true, outputGradient, logProbabilities, logitGradient, rowLength, options, nameof(logProbabilities));

    /// <summary>The gradient of probabilities in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <inheritdoc cref="Backward{T}(GpuBuffer{T}, GpuBuffer{T}, GpuBuffer{T}, int, SoftmaxGradientOptions{T})"/>
    public void Backward<T>(ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> probabilities, Span<T> logitGradient, int rowLength,
        SoftmaxGradientOptions<T> options = default) where T : unmanaged =>
        RunGradient(new SoftmaxGradientProblem<T>(isLog: false, outputGradient, probabilities, logitGradient, rowLength, options, nameof(probabilities)));

    /// <summary>The gradient of log-probabilities in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <inheritdoc cref="LogBackward{T}(GpuBuffer{T}, GpuBuffer{T}, GpuBuffer{T}, int, SoftmaxGradientOptions{T})"/>
    public void LogBackward<T>(ReadOnlySpan<T> outputGradient, ReadOnlySpan<T> logProbabilities, Span<T> logitGradient, int rowLength,
        SoftmaxGradientOptions<T> options = default) where T : unmanaged =>
        RunGradient(new SoftmaxGradientProblem<T>(isLog: true, outputGradient, logProbabilities, logitGradient, rowLength, options, nameof(logProbabilities)));

    private void RunGradient<T>(SoftmaxGradientProblem<T> problem) where T : unmanaged
    {
        SoftmaxGpuChecks.GradientOptions(problem.Options);
        using GpuBuffer<T> gradient = Device.Allocate(problem.OutputGradient), result = Device.Allocate(problem.Result);
        LaunchGradient(problem.IsLog, gradient, result, gradient, problem.Shape, problem.Options);
        gradient.CopyTo(problem.LogitGradient);
    }

    private void RunGradient<T>(bool isLog, GpuBuffer<T> outputGradient, GpuBuffer<T> result, GpuBuffer<T> logitGradient, int rowLength,
        in SoftmaxGradientOptions<T> options, string resultName) where T : unmanaged
    {
        const string outputGradientName = SoftmaxGradientProblem<T>.OutputGradientName;
        GpuChecks.Buffer(Device, outputGradient, 0, outputGradientName);
        SoftmaxGpuChecks.Length(outputGradient, outputGradientName);
        GpuChecks.Buffer(Device, result, outputGradient.Length, resultName);
        Check.Exactly(result.Length, outputGradient.Length, resultName);
        GpuChecks.Buffer(Device, logitGradient, outputGradient.Length, SoftmaxGradientProblem<T>.LogitGradientName);
        SoftmaxShape shape = SoftmaxChecks.Rows(outputGradient.Length, rowLength, nameof(rowLength), outputGradientName);
        SoftmaxChecks.Scalars<T>(options.Scale, options.SoftCap);
        Check.Kernel(options.Kernel);
        SoftmaxGpuChecks.GradientOptions(options);
        LaunchGradient(isLog, outputGradient, result, logitGradient, shape, options);
    }

    private void LaunchGradient<T>(bool isLog, GpuBuffer<T> outputGradient, GpuBuffer<T> result, GpuBuffer<T> logitGradient, in SoftmaxShape shape,
        in SoftmaxGradientOptions<T> options) where T : unmanaged
    {
        ISoftmaxGpuProgram<T> program = ProgramOf<T>();
        options.Kernel.CancellationToken.ThrowIfCancellationRequested();
        if (shape.OuterCount > 0 && shape.RowLength > 0)
            program.RunGradient(isLog, outputGradient, result, logitGradient, shape.OuterCount, shape.RowLength, (float)options.Scale);
    }
}
