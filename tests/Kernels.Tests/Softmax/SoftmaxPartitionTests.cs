using Kernels.Core.Softmax;
using Kernels.Native.Library;
using Kernels.Native.Softmax;

namespace Kernels.Tests;

/// <summary>The rule by which a long row is cut, on both sides of the C ABI.</summary>
public sealed class SoftmaxPartitionTests
{
    private static readonly int[] s_lengths =
        [0, 1, 65535, 65536, 65537, 1 << 20, (1 << 26) - 1, 1 << 26, (1 << 26) + 1, 100_000_000, (1 << 27) + 1, int.MaxValue - 1, int.MaxValue];

    [Fact]
    public void NoRowHasMoreChunksThanTheStackHasRoomFor()
    {
        foreach (int length in s_lengths)
        {
            int chunk = SoftmaxPartition.ChunkLengthOf(length);
            Assert.InRange(SoftmaxPartition.ChunkCountOf(length, chunk), 0, SoftmaxPartition.MaxChunkCount);
        }
    }

    [SkippableFact]
    public void TheNativeLibraryCutsByTheSameRule()
    {
        Skip.If(NativeKernels.Absence.Length > 0, NativeKernels.Absence);
        foreach (int length in s_lengths)
            Assert.Equal(SoftmaxPartition.ChunkLengthOf(length), SoftmaxNativeMethods.ChunkLength(length));
    }
}
