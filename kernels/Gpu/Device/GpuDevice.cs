using ILGPU;
using ILGPU.IR;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Kernels.Gpu;

/// <summary>
/// One opened device: an ILGPU accelerator and its context, both owned. Nothing in this library moves to a GPU unless it is handed one of these.
/// </summary>
/// <remarks>
/// Work is queued on the accelerator's default stream, in order; <see cref="Synchronize"/> and every copy to the host wait for it. Not safe for concurrent
/// use: one thread at a time. Dispose buffers and kernels before the device.
/// </remarks>
public sealed class GpuDevice : IDisposable
{
    private readonly Context _context;

    private GpuDevice(Context context, Accelerator accelerator, GpuDeviceKind kind)
    {
        _context = context;
        Accelerator = accelerator;
        Kind = kind;
    }

    /// <summary>The ILGPU accelerator, for kernels of one's own.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>The programming interface it is driven through.</summary>
    public GpuDeviceKind Kind { get; }

    /// <summary>The device's own name.</summary>
    public string Name => Accelerator.Name;

    /// <summary>Every device ILGPU accepts, and for each kind without one an entry that says why. Opens nothing.</summary>
    public static IReadOnlyList<GpuDeviceInfo> Enumerate()
    {
        using Context context = Context.Create(Configure);
        var found = new List<GpuDeviceInfo>();
        foreach (GpuDeviceKind kind in Enum.GetValues<GpuDeviceKind>())
        {
            Device[] devices = OfKind(context, kind);
            for (int index = 0; index < devices.Length; index++)
                found.Add(new GpuDeviceInfo(kind, index, devices[index].Name, ""));
            if (devices.Length == 0)
                found.Add(new GpuDeviceInfo(kind, -1, "", AbsenceOf(kind)));
        }
        return found;
    }

    /// <summary>Opens a device.</summary>
    /// <param name="kind">The programming interface.</param>
    /// <param name="index">Which of the devices of that kind, in the order of <see cref="Enumerate"/>.</param>
    /// <exception cref="PlatformNotSupportedException">There is no such kind of device; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are devices of that kind, but not so many.</exception>
    public static GpuDevice Open(GpuDeviceKind kind, int index = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        Context context = Context.Create(Configure);
        try
        {
            Device[] devices = OfKind(context, kind);
            if (devices.Length == 0)
                throw new PlatformNotSupportedException(AbsenceOf(kind));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, devices.Length);
            return new GpuDevice(context, devices[index].CreateAccelerator(context), kind);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Allocates device memory; its content is undefined.</summary>
    /// <param name="length">The number of elements, 0 or more.</param>
    public GpuBuffer<T> Allocate<T>(long length) where T : unmanaged => new(this, length);

    /// <summary>Allocates device memory and copies <paramref name="source"/> into it.</summary>
    public GpuBuffer<T> Allocate<T>(ReadOnlySpan<T> source) where T : unmanaged
    {
        var buffer = new GpuBuffer<T>(this, source.Length);
        buffer.CopyFrom(source);
        return buffer;
    }

    /// <summary>Waits until everything queued so far has run.</summary>
    public void Synchronize() => Accelerator.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        Accelerator.Dispose();
        _context.Dispose();
    }

    /// <summary>
    /// A device of a context that <see cref="ConfigureKernels"/> prepared and that lists devices of its own choice; both are owned from here on.
    /// </summary>
    internal static GpuDevice Of(Context context, Device device, GpuDeviceKind kind) => new(context, device.CreateAccelerator(context), kind);

    /// <summary>The context every kernel of this library is compiled in, with the devices that ILGPU accepts.</summary>
    internal static void Configure(Context.Builder builder) => ConfigureKernels(builder.DefaultCPU().OpenCL().Cuda());

    /// <summary>What kernels need of a context.</summary>
    internal static void ConfigureKernels(Context.Builder builder)
    {
        // O2 infers address spaces: ld.global instead of generic loads.
        builder.EnableAlgorithms().Optimize(OptimizationLevel.O2);
        GpuOps.Register(builder.GetIntrinsicManager());
    }

    private static Device[] OfKind(Context context, GpuDeviceKind kind) => kind switch
    {
        GpuDeviceKind.Cuda => [.. context.GetCudaDevices()],
        GpuDeviceKind.OpenCl => [.. context.GetCLDevices()],
        GpuDeviceKind.Cpu => [.. context.GetCPUDevices()],
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind of device"),
    };

    private static string AbsenceOf(GpuDeviceKind kind) => kind switch
    {
        GpuDeviceKind.Cuda => $"no CUDA device: {GpuLibraries.Describe(GpuLibraries.Cuda)}",
        GpuDeviceKind.OpenCl => $"no OpenCL 2.0 device with a generic address space: {GpuLibraries.Describe(GpuLibraries.OpenCl)}",
        _ => "ILGPU lists no CPU device",
    };
}
