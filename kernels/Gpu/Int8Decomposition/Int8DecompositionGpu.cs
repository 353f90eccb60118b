using ILGPU;
using ILGPU.Runtime;
using Kernels.Core.Checks;
using Kernels.Core.Int8Decomposition;

namespace Kernels.Gpu;

/// <summary>LLM.int8() (arXiv 2208.07339) on a device: products in eight bits with a scale for each row and each output, and outliers in float.</summary>
/// <remarks>
/// <para>output[m, n] = (s[m] / 127 sum over k of q[m, k] w[n, k] + sum over outliers of a[m, k] w[n, k]) absmax[n] / 127 + bias[n], as
/// <see cref="Int8Decomposition"/> has it, outliers by rows (<see cref="OutlierScope.PerRow"/>); any m, n and k. Element types: <see cref="float"/>;
/// <see cref="System.Half"/> and <see cref="BrainFloat16"/> as storage with float arithmetic and one rounding at the end. Any other type gets a
/// <see cref="NotSupportedException"/>.</para>
/// <para>Integers, scales and sums are those of the CPU, and so are the bits of results where the processor fuses multiply-adds, save for rows whose largest
/// magnitude is below 1.5e-36 (denormal scales); the bound and the special values are the same. A row does not depend on the other rows.</para>
/// <para>Work O(m n k); the packed weights are read once for up to 4 rows, then once for every 4 rows more, of which a cache serves most. Scratch memory holds
/// the rows in eight bits and room for all of their outliers: 9 bytes and a little for each activation; <see cref="ScratchBytes"/> bound the rows of one
/// launch, more rows take several.</para>
/// <para>Calls on buffers queue kernels on the device's default stream and return; calls on spans allocate buffers, copy both ways and wait. A kernel is
/// compiled when it is first needed, then kept. Not safe for concurrent use. Bad arguments throw an <see cref="ArgumentException"/> that names the parameter,
/// before anything is queued.</para>
/// </remarks>
public sealed class Int8DecompositionGpu : IDisposable
{
    /// <summary>The default of <see cref="ScratchBytes"/>: 200 rows of 8,192 inputs.</summary>
    public const long DefaultScratchBytes = 16 << 20;

    private readonly Dictionary<Type, object> _programs = [];
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> _scratch;

    /// <summary>Takes <paramref name="scratchBytes"/> of the device's memory; nothing more is allocated by calls on buffers.</summary>
    /// <param name="device">The device to run on; it must outlive this object.</param>
    /// <param name="scratchBytes">At least what four rows of the inputs that will be met need.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="scratchBytes"/> is not positive.</exception>
    public Int8DecompositionGpu(GpuDevice device, long scratchBytes = DefaultScratchBytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scratchBytes);
        Device = device;
        _scratch = device.Accelerator.Allocate1D<byte>(scratchBytes);
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
    /// <param name="threshold">Activations of this magnitude and above are outliers: a finite number of at least 0; 0 turns decomposition off.</param>
    /// <param name="bias">[n], or null; another buffer than the output.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="System.Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    /// <exception cref="ArgumentException">A buffer is too short or of another device, or the scratch memory does not hold four rows.</exception>
    public void Multiply<T>(
        GpuBuffer<T> activations, GpuInt8Weights weights, GpuBuffer<T> output, int rowCount, float threshold = Int8DecompositionOptions.DefaultThreshold,
        GpuBuffer<float>? bias = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegative(rowCount);
        if (!(threshold >= 0 && float.IsFinite(threshold)))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "a finite number of at least 0");
        GpuChecks.Same(Device, weights.Device, nameof(weights));
        GpuChecks.Buffer(Device, activations, (long)rowCount * weights.InputCount, nameof(activations));
        GpuChecks.Buffer(Device, output, (long)rowCount * weights.OutputCount, nameof(output));
        GpuChecks.Distinct(output, activations, nameof(output), nameof(activations));
        if (bias != null)
        {
            GpuChecks.Buffer(Device, bias, weights.OutputCount, nameof(bias));
            GpuChecks.Distinct(output, bias, nameof(output), nameof(bias));
        }
        IInt8GpuProgram<T> program = ProgramOf<T>();
        int blockRows = BlockRows(weights);
        ArrayView<float> biasView = bias == null ? ArrayView<float>.Empty : bias.View<float>();
        Int8GpuRows rows = RowsOf(weights.Shape, Math.Min(blockRows, (int)Math.Min(int.MaxValue, RoundUp(rowCount))));
        for (int first = 0; first < rowCount; first += blockRows)
            program.Run(activations, weights, AbsMaxRule.Limit(threshold), biasView, output, rows, first, Math.Min(blockRows, rowCount - first));
    }

    /// <summary>Multiplies rows in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <param name="activations">[m, k], row-major; k divides the number of elements, which gives m.</param>
    /// <param name="weights">W, [n, k].</param>
    /// <param name="output">[m, n], row-major; at least that many elements, the rest stays as it is.</param>
    /// <param name="options">Threshold, outliers by rows, bias; a token is looked at before the launch, threads have no meaning here.</param>
    /// <typeparam name="T"><see cref="float"/>, <see cref="System.Half"/> or <see cref="BrainFloat16"/>.</typeparam>
    /// <exception cref="ArgumentException">Sizes disagree, or an option is not what runs on a device.</exception>
    public void Multiply<T>(ReadOnlySpan<T> activations, GpuInt8Weights weights, Span<T> output, Int8DecompositionOptions options = default) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        int rowCount = Check.Rows(activations.Length, weights.InputCount, nameof(activations));
        output = Check.Written(output, (long)rowCount * weights.OutputCount, nameof(output));
        if (options.Outliers != OutlierScope.PerRow)
            throw new NotSupportedException($"{nameof(options.Outliers)} {options.Outliers} has no GPU kernels; the managed and native backends serve it.");
        Check.ExactlyOrEmpty(options.Bias.Length, weights.OutputCount, nameof(options.Bias));
        GpuChecks.Variant(options.Kernel, GpuVariants.Int8Decomposition<T>());
        options.Kernel.CancellationToken.ThrowIfCancellationRequested();
        _ = ProgramOf<T>();
        using GpuBuffer<T> source = Device.Allocate(activations);
        using GpuBuffer<T> destination = Device.Allocate<T>(output.Length);
        using GpuBuffer<float>? bias = options.Bias.IsEmpty ? null : Device.Allocate(options.Bias);
        Multiply(source, weights, destination, rowCount, options.Threshold, bias);
        destination.CopyTo(output);
    }

    /// <summary>Frees the scratch memory.</summary>
    public void Dispose() => _scratch.Dispose();

    private static long RoundUp(long rowCount) => (rowCount + Int8GpuKernels.TileRows - 1) / Int8GpuKernels.TileRows * Int8GpuKernels.TileRows;

    // Values and, for each input, a column and its value; a scale and a count.
    private static long BytesOfRow(in Int8GpuShape shape) => shape.StepCount * (long)sizeof(int) + shape.InputCount * (long)(sizeof(int) + sizeof(float))
        + sizeof(float) + sizeof(int);

    // Rows of one launch, a multiple of a tile's: as many as the scratch memory holds and a launch can count. How rows are cut changes none of their bits.
    private int BlockRows(GpuInt8Weights weights)
    {
        const int tileRows = Int8GpuKernels.TileRows;
        long bytes = BytesOfRow(weights.Shape), columns = (long)weights.Shape.PanelCount * Int8GpuShape.PanelColumns;
        long rows = Math.Min(ScratchBytes / bytes, int.MaxValue / columns) / tileRows * tileRows;
        if (rows == 0)
            throw new ArgumentException($"weights of {weights.OutputCount} x {weights.InputCount} need {tileRows * bytes} bytes of scratch memory, there " +
                $"are {ScratchBytes}", nameof(weights));
        return (int)rows;
    }

    private Int8GpuRows RowsOf(in Int8GpuShape shape, int rowCount)
    {
        ArrayView<byte> bytes = _scratch.View;
        long values = (long)rowCount * shape.StepCount, outliers = (long)rowCount * shape.InputCount, at = 0;
        return new Int8GpuRows(Next(values).Cast<int>(), Next(rowCount).Cast<float>(), Next(outliers).Cast<int>(), Next(outliers).Cast<float>(), Next(rowCount)
            .Cast<int>());

        ArrayView<byte> Next(long count)
        {
            ArrayView<byte> part = count == 0 ? bytes.SubView(0, 0) : bytes.SubView(at, count * sizeof(int));
            at += count * sizeof(int);
            return part;
        }
    }

    private IInt8GpuProgram<T> ProgramOf<T>() where T : unmanaged
    {
        if (!_programs.TryGetValue(typeof(T), out object? program))
            _programs[typeof(T)] = program = Create<T>();
        return (IInt8GpuProgram<T>)program;
    }

    private object Create<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? new Int8GpuProgram<float, float, Float32Element>(Device.Accelerator) :
        typeof(T) == typeof(System.Half) ? new Int8GpuProgram<System.Half, ushort, Float16Element>(Device.Accelerator) :
        typeof(T) == typeof(BrainFloat16) ? new Int8GpuProgram<BrainFloat16, ushort, BFloat16Element>(Device.Accelerator) :
        throw new NotSupportedException($"The element type {typeof(T)} has no GPU kernels: use float, Half or Kernels.BrainFloat16.");
}
