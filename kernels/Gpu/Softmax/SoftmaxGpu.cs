using ILGPU;
using ILGPU.Runtime;
using Kernels.Core.Checks;
using Kernels.Core.Softmax;

namespace Kernels.Gpu;

/// <summary>Softmax, log-softmax, log-sum-exp and gradients along contiguous rows, on a device.</summary>
/// <remarks>
/// <para>Element types: <see cref="float"/>; <see cref="System.Half"/> and <see cref="BrainFloat16"/> as storage with float arithmetic and one rounding at the
/// end. Any other type gets a <see cref="NotSupportedException"/>.</para>
/// <para>Options: scale, causal, safe. Soft cap, masks and row lengths are refused with a <see cref="NotSupportedException"/> that names them. The degree of
/// parallelism has no meaning here; a token is looked at before the launch.</para>
/// <para>Special values are those of the base package's <c>Softmax</c>: NaN or plus infinity makes a row NaN, minus infinity gets probability 0, a row of
/// nothing else is NaN, or zeros with <see cref="SoftmaxOptions{T}.Safe"/>; logits of plus or minus 1e30 are served. Accuracy: every probability is within 1e-6
/// relative of the exact one and every logarithm within 1e-6 absolute beyond the rounding of the result itself, at any row length. Denormal results are kept
/// where the device computes with denormals.</para>
/// <para>Two reads and one write of each logit. Calls on buffers queue kernels on the device's default stream and return; calls on spans allocate two buffers,
/// copy both ways and wait. On one device the same row gives the same bits, whatever the other rows. A kernel is compiled when it is first needed, then kept.
/// Not safe for concurrent use.</para>
/// </remarks>
public sealed partial class SoftmaxGpu : IDisposable
{
    private readonly Dictionary<Type, object> _programs = [];
    private readonly SoftmaxGpuLaunch _launch;
    private readonly MemoryBuffer1D<ExtendedSum, Stride1D.Dense> _sums;

    /// <summary>Takes <see cref="ScratchBytes"/> of the device's memory for the sums of long rows; nothing more is allocated by calls on buffers.</summary>
    /// <param name="device">The device to run on; it must outlive this object.</param>
    public SoftmaxGpu(GpuDevice device) : this(device, SoftmaxGpuLaunch.For(device.Accelerator))
    {
    }

    internal SoftmaxGpu(GpuDevice device, SoftmaxGpuLaunch launch)
    {
        Device = device;
        _launch = launch;
        _sums = device.Accelerator.Allocate1D<ExtendedSum>(launch.ChunkCapacity);
    }

    /// <summary>The device it runs on.</summary>
    public GpuDevice Device { get; }

    /// <summary>The size of the scratch memory on the device, in bytes.</summary>
    public long ScratchBytes => _sums.LengthInBytes;

    /// <summary>Probabilities p = exp(z) / sum exp(z) of each row, where z are the scaled logits.</summary>
    /// <param name="logits">[rows, rowLength], row-major: the whole buffer.</param>
    /// <param name="probabilities">At least as many elements; may be <paramref name="logits"/> itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. 0 is allowed when there are no logits.</param>
    /// <param name="options">Scale, causal, safe.</param>
    public void Compute<T>(GpuBuffer<T> logits, GpuBuffer<T> probabilities, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged =>
        Run(SoftmaxOperation.Probabilities, logits, probabilities, rowLength, options, nameof(probabilities));

    /// <summary>Log-probabilities z - log sum exp(z) of each row.</summary>
    /// <param name="logits">[rows, rowLength], row-major: the whole buffer.</param>
    /// <param name="logProbabilities">At least as many elements; may be <paramref name="logits"/> itself.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. 0 is allowed when there are no logits.</param>
    /// <param name="options">Scale, causal, safe.</param>
    public void LogSoftmax<T>(GpuBuffer<T> logits, GpuBuffer<T> logProbabilities, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged =>
        Run(SoftmaxOperation.LogProbabilities, logits, logProbabilities, rowLength, options, nameof(logProbabilities));

    /// <summary>log sum exp(z) of each row: one element a row.</summary>
    /// <param name="logits">[rows, rowLength], row-major: the whole buffer.</param>
    /// <param name="logSumExp">At least [rows]; another buffer than the logits.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. If 0, every element of <paramref name="logSumExp"/> becomes minus
    /// infinity.</param>
    /// <param name="options">Scale, causal, safe.</param>
    public void LogSumExp<T>(GpuBuffer<T> logits, GpuBuffer<T> logSumExp, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged =>
        Run(SoftmaxOperation.LogSumExp, logits, logSumExp, rowLength, options, nameof(logSumExp));

    /// <summary>Probabilities of rows in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="probabilities">At least as many elements; may be <paramref name="logits"/> itself but may not overlap it otherwise.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. 0 is allowed when there are no logits.</param>
    /// <param name="options">Scale, causal, safe.</param>
    public void Compute<T>(ReadOnlySpan<T> logits, Span<T> probabilities, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged =>
        Run(SoftmaxOperation.Probabilities, logits, probabilities, rowLength, options, nameof(probabilities));

    /// <summary>Log-probabilities of rows in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="logProbabilities">At least as many elements; may be <paramref name="logits"/> itself but may not overlap it otherwise.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. 0 is allowed when there are no logits.</param>
    /// <param name="options">Scale, causal, safe.</param>
    public void LogSoftmax<T>(ReadOnlySpan<T> logits, Span<T> logProbabilities, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged =>
        Run(SoftmaxOperation.LogProbabilities, logits, logProbabilities, rowLength, options, nameof(logProbabilities));

    /// <summary>log sum exp(z) of rows in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <param name="logits">[rows, rowLength], row-major.</param>
    /// <param name="logSumExp">At least [rows]; may not overlap the logits.</param>
    /// <param name="rowLength">The length of a row; divides the number of logits. If 0, every element of <paramref name="logSumExp"/> becomes minus
    /// infinity.</param>
    /// <param name="options">Scale, causal, safe.</param>
    public void LogSumExp<T>(ReadOnlySpan<T> logits, Span<T> logSumExp, int rowLength, SoftmaxOptions<T> options = default) where T : unmanaged =>
        Run(SoftmaxOperation.LogSumExp, logits, logSumExp, rowLength, options, nameof(logSumExp));

    /// <summary>Frees the scratch memory.</summary>
    public void Dispose() => _sums.Dispose();

    private void Run<T>(
        SoftmaxOperation operation, ReadOnlySpan<T> logits, Span<T> output, int rowLength, in SoftmaxOptions<T> options, string outputName) where T : unmanaged
    {
        SoftmaxShape shape = ShapeOf(operation, logits.Length, output.Length, rowLength);
        var problem = new SoftmaxProblem<T>(operation, shape, logits, output, options, outputName);
        SoftmaxGpuChecks.Options(options);
        using GpuBuffer<T> source = Device.Allocate(logits);
        using GpuBuffer<T> destination = Device.Allocate<T>(problem.Output.Length);
        Launch(operation, source, destination, shape, options);
        destination.CopyTo(problem.Output);
    }

    private void Run<T>(
        SoftmaxOperation operation, GpuBuffer<T> logits, GpuBuffer<T> output, int rowLength, in SoftmaxOptions<T> options, string outputName)
        where T : unmanaged
    {
        SoftmaxGpuChecks.Buffers(Device, logits, output, operation, outputName);
        SoftmaxShape shape = ShapeOf(operation, logits.Length, output.Length, rowLength);
        SoftmaxChecks.Options(options, shape, SoftmaxProblem<T>.OptionsName);
        Check.AtLeast(output.Length, operation == SoftmaxOperation.LogSumExp ? shape.RowCount : shape.OutputExtent, outputName);
        SoftmaxGpuChecks.Options(options);
        Launch(operation, logits, output, shape, options);
    }

    private static SoftmaxShape ShapeOf(SoftmaxOperation operation, long logitCount, long outputCount, int rowLength)
    {
        SoftmaxShape shape = SoftmaxChecks.Rows(logitCount, rowLength, nameof(rowLength), SoftmaxProblem<float>.LogitsName);
        if (rowLength > 0 || operation != SoftmaxOperation.LogSumExp)
            return shape;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(outputCount, int.MaxValue);
        return SoftmaxShape.Rows((int)outputCount, 0);
    }

    private void Launch<T>(SoftmaxOperation operation, GpuBuffer<T> logits, GpuBuffer<T> output, in SoftmaxShape shape, in SoftmaxOptions<T> options)
        where T : unmanaged
    {
        ISoftmaxGpuProgram<T> program = ProgramOf<T>();
        options.Kernel.CancellationToken.ThrowIfCancellationRequested();
        int queries = !options.Causal ? 0 : options.CausalQueryCount > 0 ? options.CausalQueryCount : shape.OuterCount;
        bool writesNothing = shape.OuterCount == 0 || (shape.RowLength == 0 && operation != SoftmaxOperation.LogSumExp);
        if (!writesNothing)
            program.Run(operation, logits, output, shape.OuterCount, new SoftmaxGpuRows(shape.RowLength, (float)options.Scale, queries, options.Safe));
    }

    private ISoftmaxGpuProgram<T> ProgramOf<T>() where T : unmanaged
    {
        if (!_programs.TryGetValue(typeof(T), out object? program))
            _programs[typeof(T)] = program = Create<T>();
        return (ISoftmaxGpuProgram<T>)program;
    }

    private object Create<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? new SoftmaxGpuProgram<float, float, Float32Element>(Device.Accelerator, _launch, _sums.View) :
        typeof(T) == typeof(System.Half) ? new SoftmaxGpuProgram<System.Half, ushort, Float16Element>(Device.Accelerator, _launch, _sums.View) :
        typeof(T) == typeof(BrainFloat16) ? new SoftmaxGpuProgram<BrainFloat16, ushort, BFloat16Element>(Device.Accelerator, _launch, _sums.View) :
        throw new NotSupportedException($"The element type {typeof(T)} has no GPU kernels: use float, Half or Kernels.BrainFloat16.");
}
