using Kernels.Core.Int8Decomposition;

namespace Kernels.Gpu;

/// <summary>Eight-bit weights in a device's memory, packed as <see cref="Int8Weights"/> has them. Not safe for use while it is disposed.</summary>
public sealed class GpuInt8Weights : IDisposable
{
    private readonly GpuBuffer<byte> _packed;
    private readonly Int8WeightsLayout _layout;

    private unsafe GpuInt8Weights(GpuDevice device, Int8Weights weights)
    {
        Device = device;
        _layout = weights.Layout;
        Shape = new Int8GpuShape(_layout);
        _packed = device.Allocate<byte>(_layout.ByteCount);
        try
        {
            using PackedLease lease = weights.Acquire();
            _packed.CopyFrom(lease.Start, _layout.ByteCount);
        }
        catch
        {
            _packed.Dispose();
            throw;
        }
    }

    /// <summary>Copies packed weights to a device, byte by byte; the copy is independent of <paramref name="weights"/> afterwards.</summary>
    /// <param name="device">Must outlive the result.</param>
    /// <param name="weights">The weights.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static GpuInt8Weights Upload(GpuDevice device, Int8Weights weights)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(weights);
        return new GpuInt8Weights(device, weights);
    }

    /// <summary>The device whose memory holds them.</summary>
    public GpuDevice Device { get; }

    /// <summary>n, the number of outputs.</summary>
    public int OutputCount => _layout.OutputCount;

    /// <summary>k, the number of inputs.</summary>
    public int InputCount => _layout.InputCount;

    /// <summary>The bytes of the packed matrix on the device.</summary>
    public long ByteCount => _packed.Length;

    internal Int8GpuShape Shape { get; }

    internal Int8GpuWeightsView View
    {
        get
        {
            ILGPU.ArrayView<byte> bytes = _packed.View<byte>();
            return new Int8GpuWeightsView(bytes.SubView(0, _layout.FactorOffset).Cast<int>(),
                bytes.SubView(_layout.FactorOffset, _layout.SumOffset - _layout.FactorOffset).Cast<float>());
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _packed.Dispose();
}
