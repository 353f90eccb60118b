using Kernels.Core.Threading;

namespace Kernels.Core.Softmax;

/// <summary>
/// How a softmax is shared out among threads: for every backend the same. A row's chunks depend on its length alone, so that results do not depend on
/// threads; the native library cuts by the same rule (<c>native/src/softmax/sums.cpp</c>), which a test holds.
/// </summary>
internal static class SoftmaxPartition
{
    /// <summary>
    /// Elements below which a second thread does not pay: at 128 x 1000 (40 microseconds on one thread) two threads were measured no faster than one.
    /// </summary>
    private const long ParallelElementCount = 256 * 1024;

    /// <summary>Elements a thread takes at a time: some 5 microseconds of work, beside which taking a ticket is nothing.</summary>
    private const long GrainElementCount = 16 * 1024;

    // With fewer rows for each thread than this, the last rows would leave threads idle: long rows are cut instead.
    private const long RowsForEachThread = 4;

    /// <summary>Elements per part of a row that is shared by threads: 256 KiB of floats, some ten microseconds, a thousand times a ticket's cost.</summary>
    private const int ChunkLength = 65536;

    /// <summary>The most parts a row is cut into: their sums (at most 32 bytes each) stand on the stack.</summary>
    public const int MaxChunkCount = 1024;

    /// <summary>The length of the parts of a row: whole multiples of the shortest; depends on nothing but the row's length.</summary>
    public static int ChunkLengthOf(int rowLength)
    {
        long evenShare = (rowLength + (long)MaxChunkCount - 1) / MaxChunkCount;
        return (int)(Math.Max(1, (evenShare + ChunkLength - 1) / ChunkLength) * ChunkLength);
    }

    /// <summary>The parts of which the first <paramref name="length"/> elements of a row consist.</summary>
    public static int ChunkCountOf(int length, int chunkLength) => (int)((length + (long)chunkLength - 1) / chunkLength);

    /// <summary>Whether rows are long and few, so that they are cut where whole rows would leave threads idle.</summary>
    public static bool IsCut(in SoftmaxShape shape, int threads) =>
        shape.RowLength > ChunkLengthOf(shape.RowLength) && shape.RowCount < RowsForEachThread * threads;

    /// <summary>The number of threads for so many elements.</summary>
    public static int ThreadCount(long elementCount, in KernelOptions options) => ThreadPolicy.Threads(elementCount, ParallelElementCount, options);

    /// <summary>The number of items of so many elements each that a thread takes at a time.</summary>
    public static long Grain(long elementCount) => Math.Max(1, GrainElementCount / Math.Max(1, elementCount));
}
