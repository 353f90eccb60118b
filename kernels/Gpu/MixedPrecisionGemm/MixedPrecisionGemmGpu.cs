using ILGPU;
using ILGPU.Runtime;
using Kernels.Core.Checks;

namespace Kernels.Gpu;

/// <summary>Products of float activations and weights quantised to 4 or 8 bits in groups, on a device.</summary>
/// <remarks>
/// <para>output[m, n] = sum over k of activations[m, k] W[n, k] + bias[n], with W = scale (q - zero) as <see cref="GpuQuantizedWeights"/> holds it; any m, n, k
/// from 1 on, groups, zero points, act-order, nf4 and fp4. Element types: <see cref="float"/>; <see cref="System.Half"/> and <see cref="BrainFloat16"/> as
/// storage with float arithmetic and one rounding at the end. Any other type gets a <see cref="NotSupportedException"/>.</para>
/// <para>The arithmetic is that of <see cref="MixedPrecisionGemm"/> with <see cref="GemmArithmetic.Exact"/>, operation by operation, where the processor fuses
/// multiply-adds: the same bits, the same bound, the same special values (denormals where the device computes with them).
/// <see cref="GemmArithmetic.Int8Activations"/> is refused with a <see cref="NotSupportedException"/>. A row does not depend on the other rows.</para>
/// <para>Work O(m n k); the packed weights are read once for up to 4 rows, then once for every 4 rows more, of which a cache serves most. Activations are first
/// copied to scratch memory as floats in the order of the packed inputs: <see cref="ScratchBytes"/> bound the rows of one launch, more rows take
/// several.</para>
/// <para>Calls on buffers queue kernels on the device's default stream and return; calls on spans allocate buffers, copy both ways and wait. A kernel is
/// compiled when it is first needed, then kept. Not safe for concurrent use. Bad arguments throw an <see cref="ArgumentException"/> that names the parameter,
/// before anything is queued.</para>
/// </remarks>
public sealed class MixedPrecisionGemmGpu : IDisposable
{
    /// <summary>The default of <see cref="ScratchBytes"/>: 128 rows of 32,768 inputs.</summary>
    public const long DefaultScratchBytes = 16 << 20;

    private readonly Dictionary<Type, object> _programs = [];
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _scratch;

    /// <summary>Takes <paramref name="scratchBytes"/> of the device's memory; nothing more is allocated by calls on buffers.</summary>
    /// <param name="device">The device to run on; it must outlive this object.</param>
    /// <param name="scratchBytes">At least four rows of floats of the inputs that will be met, each group of them padded to a multiple of 8.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="scratchBytes"/> is not positive.</exception>
    public MixedPrecisionGemmGpu(GpuDevice device, long scratchBytes = DefaultScratchBytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scratchBytes);
        Device = device;
        _scratch = device.Accelerator.Allocate1D<float>((scratchBytes + sizeof(float) - 1) / sizeof(float));
    }

    /// <summary>The device it runs on.</summary>
    public GpuDevice Device { get; }

    /// <summary>The size of the scratch memory on the device, in bytes.</summary>
    public long ScratchBytes => _scratch.LengthInBytes;

    /// <summary>Multiplies rows in the device's memory.</summary>
    /// <param name="activations">[rowCount, k], row-major, at the start of the buffer.</param>
    /// <param name="weights">W, [n, k].</param>
    /// <param name="output">[rowCount, n], row-major, at the start of the buffer; another buffer than the activations.</param>
    /// <param name="rowCount">m, 0 or more.</param>
    /// <param name="bias">[n], or null; another buffer than the output.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="System.Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    /// <exception cref="ArgumentException">A buffer is too short or of another device, or the scratch memory does not hold four rows.</exception>
    public void Multiply<T>(GpuBuffer<T> activations, GpuQuantizedWeights weights, GpuBuffer<T> output, int rowCount, GpuBuffer<float>? bias = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegative(rowCount);
        GpuChecks.Same(Device, weights.Device, nameof(weights));
        GpuChecks.Buffer(Device, activations, (long)rowCount * weights.InputCount, nameof(activations));
        GpuChecks.Buffer(Device, output, (long)rowCount * weights.OutputCount, nameof(output));
        GpuChecks.Distinct(output, activations, nameof(output), nameof(activations));
        if (bias != null)
        {
            GpuChecks.Buffer(Device, bias, weights.OutputCount, nameof(bias));
            GpuChecks.Distinct(output, bias, nameof(output), nameof(bias));
        }
        IGemmGpuProgram<T> program = ProgramOf<T>();
        int blockRows = BlockRows(weights);
        ArrayView<float> biasView = bias == null ? ArrayView<float>.Empty : bias.View<float>();
        for (int first = 0; first < rowCount; first += blockRows)
            program.Run(activations, weights, biasView, output, first, Math.Min(blockRows, rowCount - first));
    }

    /// <summary>Multiplies rows in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <param name="activations">[m, k], row-major; k divides the number of elements, which gives m.</param>
    /// <param name="weights">W, [n, k].</param>
    /// <param name="output">[m, n], row-major; at least that many elements, the rest stays as it is.</param>
    /// <param name="options">Exact arithmetic and the bias; a token is looked at before the launch, threads have no meaning here.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="System.Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    /// <exception cref="ArgumentException">Sizes disagree, or an option is not what runs on a device.</exception>
    public void Multiply<T>(ReadOnlySpan<T> activations, GpuQuantizedWeights weights, Span<T> output, MixedPrecisionGemmOptions options = default)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        int rowCount = Check.Rows(activations.Length, weights.InputCount, nameof(activations));
        output = Check.Written(output, (long)rowCount * weights.OutputCount, nameof(output));
        if (options.Arithmetic != GemmArithmetic.Exact)
            throw new NotSupportedException($"{nameof(options.Arithmetic)} {options.Arithmetic} has no GPU kernels; the managed and native backends serve it.");
        Check.ExactlyOrEmpty(options.Bias.Length, weights.OutputCount, nameof(options.Bias));
        GpuChecks.Variant(options.Kernel, GpuVariants.MixedPrecisionGemm<T>(weights.Format));
        options.Kernel.CancellationToken.ThrowIfCancellationRequested();
        _ = ProgramOf<T>();
        using GpuBuffer<T> source = Device.Allocate(activations);
        using GpuBuffer<T> destination = Device.Allocate<T>(output.Length);
        using GpuBuffer<float>? bias = options.Bias.IsEmpty ? null : Device.Allocate(options.Bias);
        Multiply(source, weights, destination, rowCount, bias);
        destination.CopyTo(output);
    }

    /// <summary>Frees the scratch memory.</summary>
    public void Dispose() => _scratch.Dispose();

    // Rows of one launch, a multiple of a tile's: as many as the scratch memory holds and a launch can count. How rows are cut changes none of their bits.
    private int BlockRows(GpuQuantizedWeights weights)
    {
        const int tileRows = GemmGpuKernels.TileRows;
        long elementsOfRow = Math.Max(weights.Shape.PaddedInputCount, (long)weights.Shape.PanelCount * GemmGpuShape.PanelColumns);
        long rows = Math.Min(_scratch.Length / weights.Shape.PaddedInputCount, int.MaxValue / elementsOfRow) / tileRows * tileRows;
        if (rows == 0)
        {
            long needed = tileRows * (long)weights.Shape.PaddedInputCount * sizeof(float);
            throw new ArgumentException($"weights of {weights.OutputCount} x {weights.InputCount} need {needed} bytes of scratch memory, there are " +
                $"{ScratchBytes}", nameof(weights));
        }
        return (int)rows;
    }

    private IGemmGpuProgram<T> ProgramOf<T>() where T : unmanaged
    {
        if (!_programs.TryGetValue(typeof(T), out object? program))
            _programs[typeof(T)] = program = Create<T>();
        return (IGemmGpuProgram<T>)program;
    }

    private object Create<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? new GemmGpuProgram<float, float, Float32Element>(Device.Accelerator, _scratch.View) :
        typeof(T) == typeof(System.Half) ? new GemmGpuProgram<System.Half, ushort, Float16Element>(Device.Accelerator, _scratch.View) :
        typeof(T) == typeof(BrainFloat16) ? new GemmGpuProgram<BrainFloat16, ushort, BFloat16Element>(Device.Accelerator, _scratch.View) :
        throw new NotSupportedException($"The element type {typeof(T)} has no GPU kernels: use float, Half or Kernels.BrainFloat16.");
}
