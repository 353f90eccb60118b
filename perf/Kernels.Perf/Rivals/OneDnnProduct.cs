using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>An operand of a product: its element type in oneDNN's numbers and its data, which the owner keeps.</summary>
internal readonly unsafe struct OneDnnMatrix(int type, void* data)
{
    public int Type { get; } = type;

    public void* Data { get; } = data;
}

/// <summary>
/// A matmul primitive of one shape for one number of threads: activations [m, k], output [m, n], and weights, given as [n, k], in copies in the layout that the
/// library likes best.
/// </summary>
internal sealed unsafe partial class OneDnnProduct : IDisposable
{
    // From dnnl_types.h: dnnl_query_weights_md.
    private const int WeightsQuery = 131;

    private readonly int _threads;
    private readonly nint _engine;
    private readonly nint _stream;
    private readonly nint _product;
    private readonly nint _activations;
    private readonly nint _output;
    private readonly NativeBuffer<byte>[] _copies;
    private readonly nint[] _weights;

    /// <param name="shape">m, k, n.</param>
    /// <param name="threads">The number of threads.</param>
    /// <param name="activations">[m, k].</param>
    /// <param name="weights">[n, k]; read by this constructor alone.</param>
    /// <param name="output">[m, n].</param>
    /// <param name="attributes">Of the primitive; 0 for none.</param>
    public OneDnnProduct((int Rows, int Inputs, int Outputs) shape, int threads, OneDnnMatrix activations, OneDnnMatrix weights, OneDnnMatrix output,
        nint attributes = 0)
    {
        _threads = threads;
        OneDnn.SetThreads(threads);
        (_engine, _stream) = OneDnn.Open();
        void* source = OneDnn.MatrixDescriptor(shape.Rows, shape.Inputs, activations.Type),
            destination = OneDnn.MatrixDescriptor(shape.Rows, shape.Outputs, output.Type);
        void* any = OneDnn.MatrixDescriptor(shape.Inputs, shape.Outputs, weights.Type, OneDnn.AnyTag);
        void* given = OneDnn.MatrixDescriptor(shape.Inputs, shape.Outputs, weights.Type, OneDnn.ColumnMajorTag), operation = OneDnn.AllocateDescriptor();
        OneDnn.Demand(InitialiseProduct(operation, source, any, null, destination));
        OneDnn.Demand(OneDnn.CreatePrimitiveDescriptor(out nint descriptor, operation, attributes, _engine, 0));
        OneDnn.NoteKernel(OperandsOf(activations.Type), descriptor);
        OneDnn.Demand(OneDnn.CreatePrimitive(out _product, descriptor));
        void* liked = QueryMemoryDescriptor(descriptor, WeightsQuery, 0);
        _activations = Memory(source, activations.Data);
        _output = Memory(destination, output.Data);
        int bytes = checked((int)DescriptorSize(liked));
        _copies = [.. Enumerable.Range(0, ColdCopies.Of(bytes)).Select(_ => new NativeBuffer<byte>(bytes))];
        _weights = [.. _copies.Select(copy => Memory(liked, copy.Pointer))];
        Reorder(given, weights.Data, liked);
        OneDnn.Demand(OneDnn.DestroyPrimitiveDescriptor(descriptor));
        foreach (nint done in (ReadOnlySpan<nint>)[(nint)source, (nint)any, (nint)given, (nint)destination, (nint)operation])
            NativeMemory.Free((void*)done);
    }

    /// <summary>The word for a product whose activations are of this type.</summary>
    public static string OperandsOf(int type) => type == OneDnn.SingleType ? "f32" : type == OneDnn.ByteType ? "u8s8" : "s8s8";

    /// <summary>Copies of the weights.</summary>
    public int BufferCount => _weights.Length;

    /// <summary>Multiplies with the copy of that number.</summary>
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
        foreach (NativeBuffer<byte> copy in _copies)
            copy.Dispose();
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
        foreach (NativeBuffer<byte> copy in _copies.AsSpan(1))
            _copies[0].Span.CopyTo(copy.Span);
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
}
