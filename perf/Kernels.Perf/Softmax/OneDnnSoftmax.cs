using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>oneDNN's softmax primitive (inference).</summary>
internal sealed class OneDnnSoftmax : ISoftmaxRival
{
    public RivalStatus Status => OneDnn.Status(Identity, "softmax primitive", OneDnnSoftmaxSession.Operands);

    private const string Identity = "rival/onednn";

    public bool UsesThreads => true;

    public IContender Open(SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, int threads)
    {
        var session = new OneDnnSoftmaxSession(buffers, threads);
        return new CallContender(
            Identity, threads, buffers.Count, ISoftmaxRival.Tolerance, session.Call, () => oracle.LargestError(buffers.Output(0)), session.Dispose);
    }
}

/// <summary>A softmax primitive of one shape for one number of threads, and the memory objects around our buffers.</summary>
internal sealed unsafe partial class OneDnnSoftmaxSession : IDisposable
{
    /// <summary>The word for its operands.</summary>
    public const string Operands = "softmax";

    private const int LastAxis = 1;

    private readonly int _threads;
    private readonly nint _engine;
    private readonly nint _stream;
    private readonly nint _softmax;
    private readonly (nint Source, nint Destination)[] _memories;

    public OneDnnSoftmaxSession(SoftmaxBuffers<float> buffers, int threads)
    {
        _threads = threads;
        OneDnn.SetThreads(threads);
        (_engine, _stream) = OneDnn.Open();
        void* matrix = OneDnn.MatrixDescriptor(buffers.Case.RowCount, buffers.Case.RowLength);
        _softmax = CreateSoftmax(matrix, _engine);
        _memories = [.. Enumerable.Range(0, buffers.Count).Select(i => (Memory(matrix, buffers.Input(i)), Memory(matrix, buffers.Output(i))))];
        NativeMemory.Free(matrix);
    }

    public void Call(int buffer)
    {
        OneDnn.SetThreads(_threads);
        OneDnn.Argument* arguments = stackalloc OneDnn.Argument[]
        {
            new(OneDnn.SourceArgument, _memories[buffer].Source), new(OneDnn.DestinationArgument, _memories[buffer].Destination),
        };
        OneDnn.Demand(OneDnn.Execute(_softmax, _stream, 2, arguments));
        OneDnn.Demand(OneDnn.Wait(_stream));
    }

    public void Dispose()
    {
        foreach ((nint source, nint destination) in _memories)
        {
            OneDnn.Demand(OneDnn.DestroyMemory(source));
            OneDnn.Demand(OneDnn.DestroyMemory(destination));
        }
        OneDnn.Demand(OneDnn.DestroyPrimitive(_softmax));
        OneDnn.Demand(OneDnn.DestroyStream(_stream));
        OneDnn.Demand(OneDnn.DestroyEngine(_engine));
    }

    private static nint CreateSoftmax(void* matrix, nint engine)
    {
        void* operation = OneDnn.AllocateDescriptor();
        OneDnn.Demand(InitialiseSoftmax(operation, OneDnn.ForwardInference, matrix, LastAxis));
        OneDnn.Demand(OneDnn.CreatePrimitiveDescriptor(out nint descriptor, operation, 0, engine, 0));
        NativeMemory.Free(operation);
        OneDnn.NoteKernel(Operands, descriptor);
        OneDnn.Demand(OneDnn.CreatePrimitive(out nint softmax, descriptor));
        OneDnn.Demand(OneDnn.DestroyPrimitiveDescriptor(descriptor));
        return softmax;
    }

    private nint Memory(void* matrix, NativeBuffer<float> buffer)
    {
        OneDnn.Demand(OneDnn.CreateMemory(out nint memory, matrix, _engine, buffer.Pointer));
        return memory;
    }

    [LibraryImport(OneDnn.Library, EntryPoint = "dnnl_softmax_forward_desc_init")]
    private static partial int InitialiseSoftmax(void* operation, int propagation, void* matrix, int axis);
}
