using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>A matmul primitive of one shape for one number of threads, with its operands: activations [m, k], weights [k, n] in the library's layout, output [m, n].</summary>
internal sealed unsafe partial class OneDnnGemmSession : IDisposable
{
    // From dnnl_types.h: dnnl_query_weights_md; per-column scales have bit 1 of the mask.
    private const int WeightsQuery = 131, PerColumn = 1 << 1, Common = 0;

    private readonly int _threads;
    private readonly nint _engine;
    private readonly nint _stream;
    private readonly nint _product;
    private readonly nint _activations;
    private readonly nint _output;
    private readonly NativeBuffer<byte> _activationBytes;
    private readonly NativeBuffer<byte>[] _weightBytes;
    private readonly nint[] _weights;

    private OneDnnGemmSession(GemmBuffers buffers, int threads, int activationType, int weightType, ReadOnlySpan<byte> activations, void* weights, nint attributes)
    {
        (int rows, int inputs, int outputs) = (buffers.Case.RowCount, buffers.Case.InputCount, buffers.Case.OutputCount);
        _threads = threads;
        OneDnn.SetThreads(threads);
        (_engine, _stream) = OneDnn.Open();
        void* source = OneDnn.MatrixDescriptor(rows, inputs, activationType), any = OneDnn.MatrixDescriptor(inputs, outputs, weightType, OneDnn.AnyTag);
        void* given = OneDnn.MatrixDescriptor(inputs, outputs, weightType, OneDnn.ColumnMajorTag), destination = OneDnn.MatrixDescriptor(rows, outputs), operation = OneDnn.AllocateDescriptor();
        OneDnn.Demand(InitialiseProduct(operation, source, any, null, destination));
        OneDnn.Demand(OneDnn.CreatePrimitiveDescriptor(out nint descriptor, operation, attributes, _engine, 0));
        OneDnn.Demand(OneDnn.CreatePrimitive(out _product, descriptor));
        void* liked = QueryMemoryDescriptor(descriptor, WeightsQuery, 0);
        _activationBytes = new NativeBuffer<byte>(activations.Length);
        activations.CopyTo(_activationBytes.Span);
        _activations = Memory(source, _activationBytes.Pointer);
        _output = Memory(destination, buffers.Output.Pointer);
        int bytes = checked((int)DescriptorSize(liked));
        _weightBytes = [.. Enumerable.Range(0, GemmWeights.Copies(bytes)).Select(_ => new NativeBuffer<byte>(bytes))];
        _weights = new nint[_weightBytes.Length];
        for (int i = 0; i < _weights.Length; i++)
            _weights[i] = Memory(liked, _weightBytes[i].Pointer);
        Reorder(given, weights, liked);
        OneDnn.Demand(OneDnn.DestroyPrimitiveDescriptor(descriptor));
        foreach (nint done in (ReadOnlySpan<nint>)[(nint)source, (nint)any, (nint)given, (nint)destination, (nint)operation])
            NativeMemory.Free((void*)done);
    }

    public int BufferCount => _weights.Length;

    public static OneDnnGemmSession InFloat(GemmBuffers buffers, int threads) => new(
        buffers, threads, OneDnn.SingleType, OneDnn.SingleType, MemoryMarshal.AsBytes(buffers.Activations.Span), buffers.Weights.Dequantized[0].Pointer, attributes: 0);

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
        var session = new OneDnnGemmSession(buffers, threads, type, OneDnn.SByteType, activations.Values, weights.Pointer, attributes);
        OneDnn.Demand(DestroyAttributes(attributes));
        return session;
    }

    public void Call(int buffer)
    {
        OneDnn.SetThreads(_threads);
        OneDnn.Argument* arguments = stackalloc OneDnn.Argument[]
        {
            new(OneDnn.SourceArgument, _activations), new(OneDnn.WeightsArgument, _weights[buffer]), new(OneDnn.DestinationArgument, _output),
        };
        OneDnn.Demand(OneDnn.Execute(_product, _stream, 3, arguments));
        OneDnn.Demand(OneDnn.Wait(_stream));
    }

    public void Dispose()
    {
        foreach (nint memory in (ReadOnlySpan<nint>)[_activations, _output, .. _weights])
            OneDnn.Demand(OneDnn.DestroyMemory(memory));
        OneDnn.Demand(OneDnn.DestroyPrimitive(_product));
        OneDnn.Demand(OneDnn.DestroyStream(_stream));
        OneDnn.Demand(OneDnn.DestroyEngine(_engine));
        foreach (NativeBuffer<byte> bytes in (ReadOnlySpan<NativeBuffer<byte>>)[_activationBytes, .. _weightBytes])
            bytes.Dispose();
    }

    // Into the first copy, and from there into the others.
    private void Reorder(void* from, void* weights, void* to)
    {
        nint source = Memory(from, weights);
        OneDnn.Demand(CreateReorderDescriptor(out nint descriptor, from, _engine, to, _engine, 0));
        OneDnn.Demand(OneDnn.CreatePrimitive(out nint reorder, descriptor));
        OneDnn.Argument* arguments = stackalloc OneDnn.Argument[] { new(OneDnn.SourceArgument, source), new(OneDnn.DestinationArgument, _weights[0]) };
        OneDnn.Demand(OneDnn.Execute(reorder, _stream, 2, arguments));
        OneDnn.Demand(OneDnn.Wait(_stream));
        OneDnn.Demand(OneDnn.DestroyPrimitive(reorder));
        OneDnn.Demand(OneDnn.DestroyPrimitiveDescriptor(descriptor));
        OneDnn.Demand(OneDnn.DestroyMemory(source));
        foreach (NativeBuffer<byte> copy in _weightBytes.AsSpan(1))
            _weightBytes[0].Span.CopyTo(copy.Span);
    }

    private nint Memory(void* descriptor, void* data)
    {
        OneDnn.Demand(OneDnn.CreateMemory(out nint memory, descriptor, _engine, data));
        return memory;
    }

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_matmul_desc_init")]
    private static partial int InitialiseProduct(void* operation, void* source, void* weights, void* bias, void* destination);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_desc_query_md")]
    private static partial void* QueryMemoryDescriptor(nint primitiveDescriptor, int what, int index);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_memory_desc_get_size")]
    private static partial nuint DescriptorSize(void* descriptor);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_reorder_primitive_desc_create")]
    private static partial int CreateReorderDescriptor(out nint primitiveDescriptor, void* from, nint fromEngine, void* to, nint toEngine, nint attributes);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_create")]
    private static partial int CreateAttributes(out nint attributes);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_destroy")]
    private static partial int DestroyAttributes(nint attributes);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_set_output_scales")]
    private static partial int SetOutputScales(nint attributes, long count, int mask, float* scales);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_attr_set_zero_points")]
    private static partial int SetZeroPoints(nint attributes, int argument, long count, int mask, int* zeroPoints);
}
