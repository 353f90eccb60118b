using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kernels.Perf;

/// <summary>The parts of the C interface of oneDNN 2 that are common to all primitives. Version 3 has another interface and another library name.</summary>
internal static unsafe partial class OneDnn
{
    public const string Library = "libdnnl.so.2";

    // Debian's oneDNN uses OpenMP; the number of threads is set there.
    private const string OpenMpLibrary = "libgomp.so.1";

    // From dnnl_types.h.
    public const int ForwardInference = 96, SourceArgument = 1, DestinationArgument = 17, WeightsArgument = 33;
    public const int SingleType = 3, Int32Type = 4, SByteType = 5, ByteType = 6, AnyTag = 1, RowMajorTag = 3, ColumnMajorTag = 22;
    private const int KernelNameQuery = 8;
    private const int CpuEngine = 1, DefaultStream = 1, MatrixRank = 2;

    // Room for the descriptors that the library fills in: dnnl_memory_desc_t has 696 bytes in 2.6, the largest operation descriptor under 8 KiB.
    private const int DescriptorBytes = 8192;

    public static string? AbsentReason { get; } = NativeRival.AbsentReason("libdnnl-dev", Library, OpenMpLibrary);

    // dnnl_types.h, dnnl_cpu_isa_t: each has the bits of those before it.
    private static readonly (int Bits, string Name)[] s_instructionSets =
        [(0x3e7, "avx512_core_amx"), (0xe7, "avx512_core_bf16"), (0x67, "avx512_core_vnni"), (0x27, "avx512_core"), (0x407, "avx2_vnni"), (7, "avx2"),
        (3, "avx"), (1, "sse41")];

    private static readonly SortedSet<string> s_kernels = [];

    private static string Version => $"oneDNN {GetVersion()[0]}.{GetVersion()[1]}.{GetVersion()[2]}, instruction set {InstructionSet}";

    private static string InstructionSet => s_instructionSets.FirstOrDefault(set => (EffectiveInstructionSet() & set.Bits) == set.Bits).Name ?? "none";

    /// <summary>The line of a rival in oneDNN, with the kernels that its primitives chose so far.</summary>
    /// <param name="identity">See <see cref="RivalStatus.Identity"/>.</param>
    /// <param name="note">What it computes.</param>
    /// <param name="operands">Of its primitives, as <see cref="NoteKernel"/> was told.</param>
    public static RivalStatus Status(string identity, string note, string operands)
    {
        if (AbsentReason is not null)
            return new RivalStatus(identity, "", AbsentReason);
        string[] ran = [.. s_kernels.Where(kernel => kernel.StartsWith($"{operands} ", StringComparison.Ordinal))
            .Select(kernel => kernel[(operands.Length + 1)..])];
        return new RivalStatus(identity, $"{Version}, {note}{(ran.Length == 0 ? "" : $"; ran {string.Join(", ", ran)}")}", null)
        {
            HeldBack = Vector512.IsHardwareAccelerated && !InstructionSet.StartsWith("avx512", StringComparison.Ordinal)
                ? $"it may use {InstructionSet} only, the machine has AVX-512" : null,
        };
    }

    /// <summary>Remembers which of its kernels a primitive chose, as ONEDNN_VERBOSE would name it.</summary>
    public static void NoteKernel(string operands, nint primitiveDescriptor)
    {
        Demand(Query(primitiveDescriptor, KernelNameQuery, 0, out nint name));
        s_kernels.Add($"{operands} {Marshal.PtrToStringUTF8(name)}");
    }

    /// <summary>A zeroed descriptor; free it with <see cref="NativeMemory.Free"/>.</summary>
    public static void* AllocateDescriptor() => NativeMemory.AllocZeroed(DescriptorBytes);

    /// <summary>A descriptor of a matrix: row-major floats unless said otherwise.</summary>
    public static void* MatrixDescriptor(long rows, long columns, int type = SingleType, int tag = RowMajorTag)
    {
        void* descriptor = AllocateDescriptor();
        long* dimensions = stackalloc long[MatrixRank] { rows, columns };
        Demand(InitialiseMemoryDescriptor(descriptor, MatrixRank, dimensions, type, tag));
        return descriptor;
    }

    public static void Demand(int status)
    {
        if (status != 0)
            throw new InvalidOperationException($"oneDNN answered with status {status}");
    }

    /// <summary>A CPU engine and a stream on it.</summary>
    public static (nint Engine, nint Stream) Open()
    {
        Demand(CreateEngine(out nint engine, CpuEngine, 0));
        Demand(CreateStream(out nint stream, engine, DefaultStream));
        return (engine, stream);
    }

    /// <summary>An argument of a primitive: <c>dnnl_exec_arg_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Argument(int Role, nint Memory);

    [LibraryImport(Library, EntryPoint = "dnnl_version")]
    private static partial int* GetVersion();

    [LibraryImport(Library, EntryPoint = "dnnl_get_effective_cpu_isa")]
    private static partial int EffectiveInstructionSet();

    [LibraryImport(Library, EntryPoint = "dnnl_primitive_desc_query")]
    private static partial int Query(nint primitiveDescriptor, int what, int index, out nint result);

    [LibraryImport(OpenMpLibrary, EntryPoint = "omp_set_num_threads")]
    public static partial void SetThreads(int threads);

    [LibraryImport(Library, EntryPoint = "dnnl_engine_create")]
    private static partial int CreateEngine(out nint engine, int kind, nuint index);

    [LibraryImport(Library, EntryPoint = "dnnl_stream_create")]
    private static partial int CreateStream(out nint stream, nint engine, uint flags);

    [LibraryImport(Library, EntryPoint = "dnnl_memory_desc_init_by_tag")]
    private static partial int InitialiseMemoryDescriptor(void* descriptor, int rank, long* dimensions, int dataType, int tag);

    [LibraryImport(Library, EntryPoint = "dnnl_memory_create")]
    public static partial int CreateMemory(out nint memory, void* descriptor, nint engine, void* data);

    [LibraryImport(Library, EntryPoint = "dnnl_primitive_desc_create")]
    public static partial int CreatePrimitiveDescriptor(out nint primitiveDescriptor, void* operation, nint attributes, nint engine, nint hint);

    [LibraryImport(Library, EntryPoint = "dnnl_primitive_create")]
    public static partial int CreatePrimitive(out nint primitive, nint primitiveDescriptor);

    [LibraryImport(Library, EntryPoint = "dnnl_primitive_execute")]
    public static partial int Execute(nint primitive, nint stream, int count, Argument* arguments);

    [LibraryImport(Library, EntryPoint = "dnnl_stream_wait")]
    public static partial int Wait(nint stream);

    [LibraryImport(Library, EntryPoint = "dnnl_memory_destroy")]
    public static partial int DestroyMemory(nint memory);

    [LibraryImport(Library, EntryPoint = "dnnl_primitive_desc_destroy")]
    public static partial int DestroyPrimitiveDescriptor(nint primitiveDescriptor);

    [LibraryImport(Library, EntryPoint = "dnnl_primitive_destroy")]
    public static partial int DestroyPrimitive(nint primitive);

    [LibraryImport(Library, EntryPoint = "dnnl_stream_destroy")]
    public static partial int DestroyStream(nint stream);

    [LibraryImport(Library, EntryPoint = "dnnl_engine_destroy")]
    public static partial int DestroyEngine(nint engine);
}
