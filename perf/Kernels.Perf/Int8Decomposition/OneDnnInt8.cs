using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>
/// oneDNN's integer matmul into int32, on weights reordered into the layout it asks for: the product alone, without quantisation and dequantisation. With unsigned activations up to
/// 127 it is right on every machine; with signed ones it shifts them to 0..255, and on machines with AVX2 alone its sums of two products then saturate 16 bits
/// (ONEDNN_MAX_CPU_ISA=AVX2 shows it elsewhere).
/// </summary>
internal sealed unsafe partial class OneDnnInt8 : IDisposable
{
    private const string UnsignedIdentity = "rival/onednn-u8s8", SignedIdentity = "rival/onednn-s8s8";

    private readonly Int8Buffers _buffers;
    private readonly int _threads;
    private readonly bool _isSigned;
    private readonly nint _engine;
    private readonly nint _stream;
    private readonly nint _multiply;
    private readonly NativeBuffer<byte> _activations;
    private readonly NativeBuffer<int> _products;
    private readonly List<NativeBuffer<byte>> _weights = [];
    private readonly List<nint> _memories = [];

    private OneDnnInt8(Int8Buffers buffers, int threads, bool isSigned)
    {
        (_buffers, _threads, _isSigned) = (buffers, threads, isSigned);
        Int8Case shape = buffers.Case;
        _activations = new NativeBuffer<byte>(shape.RowCount * shape.InputCount);
        _products = new NativeBuffer<int>(shape.RowCount * shape.OutputCount);
        FillActivations();
        OneDnn.SetThreads(threads);
        (_engine, _stream) = OneDnn.Open();
        void* source = OneDnn.MatrixDescriptor(shape.RowCount, shape.InputCount, isSigned ? OneDnn.SByteType : OneDnn.ByteType);
        void* wanted = OneDnn.MatrixDescriptor(shape.InputCount, shape.OutputCount, OneDnn.SByteType, OneDnn.AnyTag);
        void* plain = OneDnn.MatrixDescriptor(shape.InputCount, shape.OutputCount, OneDnn.SByteType, OneDnn.ColumnMajorTag);
        void* destination = OneDnn.MatrixDescriptor(shape.RowCount, shape.OutputCount, OneDnn.Int32Type);
        void* operation = OneDnn.AllocateDescriptor();
        OneDnn.Demand(InitialiseMatmul(operation, source, wanted, null, destination));
        OneDnn.Demand(OneDnn.CreatePrimitiveDescriptor(out nint descriptor, operation, 0, _engine, 0));
        OneDnn.Demand(OneDnn.CreatePrimitive(out _multiply, descriptor));
        _memories.Add(Memory(source, _activations.Pointer));
        _memories.Add(Memory(destination, _products.Pointer));
        Reorder(plain, Query(descriptor, WeightsDescriptor, 0));
        OneDnn.Demand(OneDnn.DestroyPrimitiveDescriptor(descriptor));
        foreach (nint memory in new[] { (nint)source, (nint)wanted, (nint)plain, (nint)destination, (nint)operation })
            NativeMemory.Free((void*)memory);
    }

    // dnnl_query_weights_md.
    private const int WeightsDescriptor = 131;

    // The other two memories are activations and products.
    private const int FirstWeights = 2;

    public static IReadOnlyList<RivalStatus> Statuses { get; } =
        [.. new[] { UnsignedIdentity, SignedIdentity }.Select(identity => new RivalStatus(identity, OneDnn.AbsentReason is null ? $"{OneDnn.Version}, integer product alone" : "", OneDnn.AbsentReason))];

    /// <summary>The restricted product, which must be right, and the signed one, whose error is only shown: the largest difference of an int32 sum.</summary>
    public static IContender Open(Int8Buffers buffers, int threads, bool isSigned)
    {
        var session = new OneDnnInt8(buffers, threads, isSigned);
        return new CallContender(
            isSigned ? SignedIdentity : UnsignedIdentity, threads, session._weights.Count, isSigned ? double.PositiveInfinity : 0, session.Call, session.LargestError, session.Dispose);
    }

    public void Dispose()
    {
        foreach (nint memory in _memories)
            OneDnn.Demand(OneDnn.DestroyMemory(memory));
        OneDnn.Demand(OneDnn.DestroyPrimitive(_multiply));
        OneDnn.Demand(OneDnn.DestroyStream(_stream));
        OneDnn.Demand(OneDnn.DestroyEngine(_engine));
        foreach (NativeBuffer<byte> copy in _weights)
            copy.Dispose();
        _activations.Dispose();
        _products.Dispose();
    }

    private void FillActivations()
    {
        var random = new Random(1);
        foreach (ref byte activation in _activations.Span)
            activation = (byte)(sbyte)random.Next(_isSigned ? sbyte.MinValue : 0, sbyte.MaxValue + 1);
    }

    private void Call(int buffer)
    {
        OneDnn.SetThreads(_threads);
        OneDnn.Argument* arguments = stackalloc OneDnn.Argument[]
        {
            new(OneDnn.SourceArgument, _memories[0]), new(OneDnn.WeightsArgument, _memories[FirstWeights + buffer]), new(OneDnn.DestinationArgument, _memories[1]),
        };
        OneDnn.Demand(OneDnn.Execute(_multiply, _stream, 3, arguments));
        OneDnn.Demand(OneDnn.Wait(_stream));
    }

    // The first row: all rows go through the same code.
    private double LargestError()
    {
        Int8Case shape = _buffers.Case;
        long largest = 0;
        for (int output = 0; output < shape.OutputCount; output++)
        {
            long sum = 0;
            for (int input = 0; input < shape.InputCount; input++)
                sum += (_isSigned ? (sbyte)_activations.Span[input] : _activations.Span[input]) * _buffers.Weights.Values[output * shape.InputCount + input];
            largest = Math.Max(largest, Math.Abs(_products.Span[output] - sum));
        }
        return largest;
    }

    private void Reorder(void* plain, void* wanted)
    {
        long bytes = (long)DescriptorSize(wanted);
        OneDnn.Argument* arguments = stackalloc OneDnn.Argument[2];
        OneDnn.Demand(CreateReorderDescriptor(out nint descriptor, plain, _engine, wanted, _engine, 0));
        OneDnn.Demand(OneDnn.CreatePrimitive(out nint reorder, descriptor));
        fixed (sbyte* values = _buffers.Weights.Values)
        {
            nint source = Memory(plain, values);
            for (int copy = 0; copy < Int8LayerWeights.Copies(bytes); copy++)
            {
                _weights.Add(new NativeBuffer<byte>(checked((int)bytes)));
                _memories.Add(Memory(wanted, _weights[copy].Pointer));
                arguments[0] = new(OneDnn.SourceArgument, source);
                arguments[1] = new(OneDnn.DestinationArgument, _memories[FirstWeights + copy]);
                OneDnn.Demand(OneDnn.Execute(reorder, _stream, 2, arguments));
                OneDnn.Demand(OneDnn.Wait(_stream));
            }
            OneDnn.Demand(OneDnn.DestroyMemory(source));
        }
        OneDnn.Demand(OneDnn.DestroyPrimitive(reorder));
        OneDnn.Demand(OneDnn.DestroyPrimitiveDescriptor(descriptor));
    }

    private nint Memory(void* descriptor, void* data)
    {
        OneDnn.Demand(OneDnn.CreateMemory(out nint memory, descriptor, _engine, data));
        return memory;
    }

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_matmul_desc_init")]
    private static partial int InitialiseMatmul(void* operation, void* source, void* weights, void* bias, void* destination);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_primitive_desc_query_md")]
    private static partial void* Query(nint primitiveDescriptor, int what, int index);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_memory_desc_get_size")]
    private static partial nuint DescriptorSize(void* descriptor);

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_reorder_primitive_desc_create")]
    private static partial int CreateReorderDescriptor(out nint descriptor, void* source, nint sourceEngine, void* destination, nint destinationEngine, nint attributes);
}
