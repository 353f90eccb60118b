namespace Kernels.Gpu;

/// <summary>What kernels are told about the rows: contiguous, one after another. Only types that every backend can pass.</summary>
internal readonly struct SoftmaxGpuRows(int rowLength, float scale, int causalQueryCount, bool safe)
{
    public readonly int RowLength = rowLength;
    public readonly float Scale = scale;
    private readonly int _causalQueryCount = causalQueryCount;
    private readonly int _safe = safe ? 1 : 0;

    /// <summary>Whether a fully masked row gets zeros instead of NaN.</summary>
    public bool Safe => _safe != 0;

    /// <summary>The number of leading positions of a row that take part; all of them when there are no causal queries.</summary>
    public int LengthOf(long row)
    {
        if (_causalQueryCount == 0)
            return RowLength;
        // Query q sees keys 0 .. q + (keys - queries): bottom-right aligned.
        long visible = row % _causalQueryCount + 1 + RowLength - _causalQueryCount;
        return visible < 0 ? 0 : (int)visible;
    }
}
