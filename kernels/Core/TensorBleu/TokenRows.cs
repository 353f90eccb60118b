using System.Numerics;

namespace Kernels.Core.TensorBleu;

/// <summary>The sequences of a <see cref="TokenBatch{T}"/> whose memory is pinned.</summary>
internal readonly unsafe struct TokenRows<T>(TokenBatch<T> batch, T* tokens, int* offsets) where T : unmanaged, IBinaryInteger<T>
{
    private readonly T* _tokens = tokens;
    private readonly int* _offsets = batch.Offsets.IsEmpty ? null : offsets;
    private readonly int _rowLength = batch.RowLength;

    public readonly int Count = batch.Count;
    public readonly T PadToken = batch.PadToken;

    public bool IsPadded => _rowLength != 0;

    /// <summary>The tokens of a sequence, without the padding at its end.</summary>
    public ReadOnlySpan<T> this[int index]
    {
        get
        {
            if (_offsets != null)
                return new ReadOnlySpan<T>(_tokens + _offsets[index], _offsets[index + 1] - _offsets[index]);
            var row = new ReadOnlySpan<T>(_tokens + (long)index * _rowLength, _rowLength);
            return row[..(row.LastIndexOfAnyExcept(PadToken) + 1)];
        }
    }
}
