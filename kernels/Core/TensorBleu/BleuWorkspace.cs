using System.Runtime.InteropServices;
using Kernels.Core.Machine;
using Kernels.Core.Threading;

namespace Kernels.Core.TensorBleu;

/// <summary>
/// Scratch for counting: a block of native memory cut into lanes, of which each running thread rents one. Grows when a call needs more, and is kept
/// between calls. One call at a time.
/// </summary>
internal sealed unsafe class BleuWorkspace : IDisposable
{
    /// <summary>The most lanes, and so threads: as <see cref="ScratchLanes"/> can hand out.</summary>
    public const int MaxLanes = ScratchLanes.MaxCount;

    private byte* _memory;
    private long _laneBytes;
    private int _laneCount;
    private object? _owner;

    /// <summary>
    /// The largest group of references (tokens, and one more for each reference) and the longest candidate that lanes are laid out for: as large as was ever
    /// asked for.
    /// </summary>
    public int LargestGroup { get; private set; }

    public int LongestCandidate { get; private set; }

    /// <summary>
    /// Lanes for at least these sizes; how they are laid out must depend on nothing but <see cref="LargestGroup"/> and <see cref="LongestCandidate"/>, for
    /// they are zeros when these grow or another owner comes, and otherwise as they were left.
    /// </summary>
    /// <param name="owner">Who lays them out.</param>
    /// <param name="count">1 to <see cref="MaxLanes"/>.</param>
    /// <param name="largestGroup">Tokens of a group of references, and one more for each reference.</param>
    /// <param name="longestCandidate">Tokens of a candidate.</param>
    /// <param name="laneBytes">The bytes of a lane for sizes in that order.</param>
    public ScratchLanes Rent(object owner, int count, int largestGroup, int longestCandidate, delegate*<int, int, long> laneBytes)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (count > _laneCount || largestGroup > LargestGroup || longestCandidate > LongestCandidate || !ReferenceEquals(owner, _owner))
        {
            (largestGroup, longestCandidate) = (Math.Max(largestGroup, LargestGroup), Math.Max(longestCandidate, LongestCandidate));
            // Sizes count once there is memory for them: lanes would be laid out by sizes for which there was none.
            Allocate(Math.Max(count, _laneCount), laneBytes(largestGroup, longestCandidate));
            (LargestGroup, LongestCandidate, _owner) = (largestGroup, longestCandidate, owner);
        }
        ulong* free = (ulong*)_memory;
        *free = ScratchLanes.AllFree(count);
        return new ScratchLanes(free, _memory + CacheLine.Bytes, _laneBytes);
    }

    private bool IsDisposed { get; set; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _laneBytes * _laneCount;

    /// <summary>Frees the memory if <see cref="Dispose"/> was not called.</summary>
    ~BleuWorkspace() => Free();

    public void Dispose()
    {
        Free();
        IsDisposed = true;
        GC.SuppressFinalize(this);
    }

    private void Allocate(int count, long bytes)
    {
        Free();
        bytes = CacheLine.RoundUp(bytes);
        nuint size = (nuint)checked(count * bytes + CacheLine.Bytes);
        _memory = (byte*)NativeMemory.AlignedAlloc(size, CacheLine.Bytes);
        NativeMemory.Clear(_memory, size);
        (_laneCount, _laneBytes) = (count, bytes);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        (_laneCount, _laneBytes) = (0, 0);
    }
}
