namespace Kernels.Cpu;

/// <summary>
/// The scratch of a block of rows, cut into tiles of <see cref="Int8DecompositionTuning.TileRows"/> rows:
/// <code>
/// values   [row][RowBytes]                packed activations
/// scales   [row]                          absmax / 127
/// counts   [tile]                         outlier columns of a tile
/// columns  [tile][inputs]                 their numbers, ascending
/// outliers [tile][inputs][TileRows]       the tile's activations in these columns, zero where they are in the integer product
/// flags    [tile][inputs]                 bytes, set where a column has an outlier
/// united   [inputs]                       the same for all rows of the call
/// </code>
/// Of the lists only what is used is ever touched.
/// </summary>
internal readonly unsafe struct Int8ActivationBlock
{
    private const int TileRows = Int8DecompositionTuning.TileRows, CacheLine = Int8WeightsLayout.Alignment;

    private readonly byte* _values;
    private readonly float* _scales;
    private readonly int* _counts;
    private readonly int* _columns;
    private readonly float* _outliers;
    private readonly byte* _flags;
    private readonly byte* _united;
    private readonly int _inputCount;

    public Int8ActivationBlock(byte* scratch, int inputCount, int activationBytes, int rowCount)
    {
        int tileCount = TileCount(rowCount);
        _inputCount = inputCount;
        RowBytes = RowBytesOf(inputCount, activationBytes);
        _values = scratch;
        _scales = (float*)(_values + tileCount * TileRows * RowBytes);
        _counts = (int*)(_scales + tileCount * TileRows);
        _columns = _counts + tileCount;
        _outliers = (float*)(_columns + (long)tileCount * inputCount);
        _flags = (byte*)(_outliers + (long)tileCount * inputCount * TileRows);
        _united = _flags + (long)tileCount * inputCount;
    }

    /// <summary>From a row of packed activations to the next.</summary>
    public nint RowBytes { get; }

    public byte* United => _united;

    public byte* Values(int row) => _values + row * RowBytes;

    public ref float Scale(int row) => ref _scales[row];

    public ref int OutlierCount(int tile) => ref _counts[tile];

    public int* OutlierColumns(int tile) => _columns + (long)tile * _inputCount;

    public float* Outliers(int tile) => _outliers + (long)tile * _inputCount * TileRows;

    public byte* Flags(int tile) => _flags + (long)tile * _inputCount;

    public static int TileCount(int rowCount) => (rowCount + TileRows - 1) / TileRows;

    public static long Bytes(int inputCount, int activationBytes, int rowCount)
    {
        long tileCount = TileCount(rowCount), lists = inputCount * (sizeof(int) + TileRows * sizeof(float) + sizeof(byte));
        return tileCount * (TileRows * (RowBytesOf(inputCount, activationBytes) + sizeof(float)) + sizeof(int) + lists) + inputCount;
    }

    // One cache line more than whole ones, so that the rows of a tile do not fall into the same sets of level 1 where k is a power of two.
    private static nint RowBytesOf(int inputCount, int activationBytes) =>
        (nint)(((long)inputCount * activationBytes + 2 * CacheLine - 1) / CacheLine + 1) * CacheLine;
}
