using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>XNNPACK's softmax operator, the three-pass one that it ships; rows are spread over its thread pool.</summary>
internal sealed partial class XnnPackSoftmax : ISoftmaxRival
{
    public RivalStatus Status { get; } =
        new("rival/xnnpack", $"{XnnPack.Library}, operator softmax_nc_f32; kernels by cpuinfo, which the library does not tell", XnnPack.AbsentReason);

    public bool UsesThreads => true;

    public unsafe IContender Open(SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, int threads)
    {
        var length = (nuint)buffers.Case.RowLength;
        XnnPack.Demand(Create(length, length, length, 0, out nint softmax));
        nint pool = threads == 1 ? 0 : XnnPack.CreatePool((nuint)threads);
        return new CallContender(Status.Identity, threads, buffers.Count, ISoftmaxRival.Tolerance, Call, () => oracle.LargestError(buffers.Output(0)), Release);

        void Call(int buffer)
        {
            XnnPack.Demand(Setup(softmax, (nuint)buffers.Case.RowCount, buffers.Input(buffer).Pointer, buffers.Output(buffer).Pointer, pool));
            XnnPack.Demand(XnnPack.Run(softmax, pool));
        }

        void Release()
        {
            XnnPack.Demand(XnnPack.Delete(softmax));
            if (pool != 0)
                XnnPack.DestroyPool(pool);
        }
    }

    [LibraryImport(XnnPack.Library, EntryPoint = "xnn_create_softmax_nc_f32")]
    private static partial int Create(nuint channels, nuint inputStride, nuint outputStride, uint flags, out nint softmax);

    [LibraryImport(XnnPack.Library, EntryPoint = "xnn_setup_softmax_nc_f32")]
    private static unsafe partial int Setup(nint softmax, nuint batchSize, float* input, float* output, nint pool);
}
