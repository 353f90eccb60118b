using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Gpu;

/// <summary>Quantised weights in a device's memory, packed as <see cref="QuantizedWeights"/> has them. Not safe for use while it is disposed.</summary>
public sealed class GpuQuantizedWeights : IDisposable
{
    private readonly GpuBuffer<byte> _packed;
    private readonly GpuBuffer<float> _codebook;

    private unsafe GpuQuantizedWeights(GpuDevice device, QuantizedWeights weights)
    {
        Device = device;
        Format = weights.Format;
        Shape = new GemmGpuShape(weights.Layout);
        Layout = weights.Layout;
        ReadOnlySpan<float> codebook = Format.IsCodebook ? Codebook.Of(Format.Type) : [0];
        _codebook = device.Allocate(codebook);
        try
        {
            _packed = device.Allocate<byte>(weights.ByteCount);
            using PackedLease lease = weights.Acquire();
            _packed.CopyFrom(lease.Start, weights.ByteCount);
        }
        catch
        {
            _packed?.Dispose();
            _codebook.Dispose();
            throw;
        }
    }

    /// <summary>Copies packed weights to a device, byte by byte; the copy is independent of <paramref name="weights"/> afterwards.</summary>
    /// <param name="device">Must outlive the result.</param>
    /// <param name="weights">Any format but 2:4 sparsity.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The weights are 2:4 sparse, or have more inputs than one launch takes.</exception>
    public static GpuQuantizedWeights Upload(GpuDevice device, QuantizedWeights weights)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Format.IsSparse)
            throw new NotSupportedException($"weights of {weights.Format.Sparsity} sparsity have no GPU kernels; the managed and native backends serve them.");
        if (weights.Layout.PaddedInputCount > int.MaxValue)
            throw new NotSupportedException($"{weights.InputCount} inputs in groups of {weights.Layout.GroupSize} are more than GPU kernels count.");
        return new GpuQuantizedWeights(device, weights);
    }

    /// <summary>The device whose memory holds them.</summary>
    public GpuDevice Device { get; }

    /// <summary>n, the number of outputs.</summary>
    public int OutputCount => Shape.OutputCount;

    /// <summary>k, the number of inputs.</summary>
    public int InputCount => Shape.InputCount;

    /// <summary>The format; its group size is the number of inputs where one group covers them all.</summary>
    public QuantizationFormat Format { get; }

    /// <summary>The bytes of the packed matrix on the device.</summary>
    public long ByteCount => _packed.Length;

    internal GemmGpuShape Shape { get; }

    private QuantizedWeightsLayout Layout { get; }

    internal GemmGpuWeights View
    {
        get
        {
            ILGPU.ArrayView<byte> bytes = _packed.View<byte>();
            return new GemmGpuWeights(
                bytes.SubView(0, Layout.ScaleOffset).Cast<int>(), bytes.SubView(Layout.ScaleOffset, Layout.ZeroPointOffset - Layout.ScaleOffset).Cast<ushort>(),
                Part(bytes, Layout.ZeroPointOffset, Layout.InputOrderOffset - Layout.ZeroPointOffset), _codebook.View<float>());
        }
    }

    internal ILGPU.ArrayView<int> InputOrder => Part(_packed.View<byte>(), Layout.InputOrderOffset, Layout.HasInputOrder ? (long)InputCount * sizeof(int) : 0)
        .Cast<int>();

    // ILGPU refuses a view of nothing at a buffer's end.
    private static ILGPU.ArrayView<byte> Part(ILGPU.ArrayView<byte> bytes, long start, long length) => bytes.SubView(length == 0 ? 0 : start, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        _packed.Dispose();
        _codebook.Dispose();
    }
}
