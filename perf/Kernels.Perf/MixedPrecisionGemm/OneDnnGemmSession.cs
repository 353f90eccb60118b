using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>oneDNN's matmul on the operands of a case: in float, or on operands that were rounded to eight bits beforehand.</summary>
internal sealed unsafe partial class OneDnnGemmSession : IDisposable
{
    // From dnnl_types.h: per-column scales have bit 1 of the mask.
    private const int PerColumn = 1 << 1, Common = 0;

    private readonly NativeBuffer<byte> _activations;
    private readonly OneDnnProduct _product;

    private OneDnnGemmSession(GemmBuffers buffers, int threads, ReadOnlySpan<byte> activations, int activationType, OneDnnMatrix weights, nint attributes)
    {
        _activations = new NativeBuffer<byte>(activations.Length);
        activations.CopyTo(_activations.Span);
        _product = new OneDnnProduct(
            (buffers.Case.RowCount, buffers.Case.InputCount, buffers.Case.OutputCount), threads, new(activationType, _activations.Pointer), weights,
            new(OneDnn.SingleType, buffers.Output.Pointer),
            attributes);
    }

    public int BufferCount => _product.BufferCount;

    public static OneDnnGemmSession InFloat(GemmBuffers buffers, int threads) => new(
        buffers, threads, MemoryMarshal.AsBytes(buffers.Activations.Span), OneDnn.SingleType, new(OneDnn.SingleType, buffers.Weights.Dequantized[0].Pointer),
        attributes: 0);

    public static OneDnnGemmSession InEightBits(GemmBuffers buffers, RoundedActivations activations, int threads)
    {
        (NativeBuffer<sbyte> weights, float[] weightScales) = buffers.Weights.EightBit;
        float[] scales = [.. weightScales.Select(scale => scale * activations.Scale)];
        int zeroPoint = activations.ZeroPoint;
        OneDnn.Demand(CreateAttributes(out nint attributes));
        fixed (float* first = scales)
            OneDnn.Demand(SetOutputScales(attributes, scales.Length, PerColumn, first));
        if (zeroPoint != 0)
            OneDnn.Demand(SetZeroPoints(attributes, OneDnn.SourceArgument, 1, Common, &zeroPoint));
        int type = activations.IsSigned ? OneDnn.SByteType : OneDnn.ByteType;
        var session = new OneDnnGemmSession(buffers, threads, activations.Values, type, new(OneDnn.SByteType, weights.Pointer), attributes);
        OneDnn.Demand(DestroyAttributes(attributes));
        return session;
    }

    public void Call(int buffer) => _product.Call(buffer);

    public void Dispose()
    {
        _product.Dispose();
        _activations.Dispose();
    }

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_create")]
    private static partial int CreateAttributes(out nint attributes);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_destroy")]
    private static partial int DestroyAttributes(nint attributes);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_set_output_scales")]
    private static partial int SetOutputScales(nint attributes, long count, int mask, float* scales);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_set_zero_points")]
    private static partial int SetZeroPoints(nint attributes, int argument, long count, int mask, int* zeroPoints);
}
