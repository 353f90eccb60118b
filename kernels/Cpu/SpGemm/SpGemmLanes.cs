using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>
/// The scratch of a call: a lane for each thread, which brings it into the state in which rows leave it when it first takes it. So lanes are cleared side by
/// side, each by the thread that will use it, and those that no thread ever takes are never touched.
/// </summary>
/// <param name="lanes">Of <see cref="Bytes"/> each, closed by <see cref="Close"/>.</param>
/// <param name="sizes">How they are laid out.</param>
/// <param name="zero">The semiring's zero.</param>
internal readonly unsafe struct SpGemmLanes<T>(ScratchLanes lanes, SpGemmLaneSizes sizes, T zero) where T : unmanaged
{
    // Before the lane itself, in a cache line of its own: whether it is clear.
    private const long HeaderBytes = 64;

    private readonly ScratchLanes _lanes = lanes;
    private readonly SpGemmLaneSizes _sizes = sizes;
    private readonly T _zero = zero;

    public static long Bytes(in SpGemmLaneSizes sizes) => HeaderBytes + SpGemmLane<T>.Bytes(sizes);

    /// <summary>Marks a lane as one that may hold anything.</summary>
    public static void Close(byte* memory) => *(bool*)memory = false;

    /// <summary>A lane that nobody else has.</summary>
    public SpGemmLane<T> Take(out int index)
    {
        var isClear = (bool*)_lanes.Take(out index);
        var lane = new SpGemmLane<T>((byte*)isClear + HeaderBytes, _sizes);
        if (!*isClear)
        {
            lane.Clear(_sizes, _zero);
            *isClear = true;
        }
        return lane;
    }

    public void Return(int index) => _lanes.Return(index);
}
