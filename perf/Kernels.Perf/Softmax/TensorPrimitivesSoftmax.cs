using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace Kernels.Perf;

/// <summary>System.Numerics.Tensors, row by row. It does not subtract the maximum, so it gets along with small logits only, as these are.</summary>
internal sealed class TensorPrimitivesSoftmax : ISoftmaxRival
{
    public RivalStatus Status { get; } =
        new("rival/tensorprimitives", $"System.Numerics.Tensors {typeof(TensorPrimitives).Assembly.GetName().Version}, vectors of " +
        $"{(Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128)} bits", null);

    public bool UsesThreads => false;

    public IContender Open(SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, int threads) =>
        new CallContender(Status.Identity, threads, buffers.Count, ISoftmaxRival.Tolerance, buffer => Call(buffers, buffer), () =>
        oracle.LargestError(buffers.Output(0)));

    private static void Call(SoftmaxBuffers<float> buffers, int buffer)
    {
        int length = buffers.Case.RowLength;
        Span<float> input = buffers.Input(buffer).Span, output = buffers.Output(buffer).Span;
        for (int start = 0; start < input.Length; start += length)
            TensorPrimitives.SoftMax<float>(input.Slice(start, length), output.Slice(start, length));
    }
}
