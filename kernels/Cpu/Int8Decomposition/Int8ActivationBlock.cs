using Kernels.Core.Int8Decomposition;
using Kernels.Core.Machine;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// The scratch of a block of rows, cut into tiles of <see cref="Int8DecompositionTuning.TileRows"/> rows:
/// <code>
/// values   [tile][step][row of tile][4]   packed activations: a tile is read from front to back
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
    private const int TileRows = Int8DecompositionTuning.TileRows;

    private readonly byte* _values;
    private readonly float* _scales;
    private readonly int* _counts;
    private readonly int* _columns;
    private readonly float* _outliers;
    private readonly byte* _flags;
    private readonly byte* _united;
    private readonly int _inputCount;
    private readonly int _rowBytes;

    public Int8ActivationBlock(byte* scratch, int inputCount, int activationBytes, int rowCount)
    {
        int tileCount = TileCount(rowCount);
        _inputCount = inputCount;
        _rowBytes = activationBytes * Int8WeightsLayout.LaneInputs;
        StepBytes = _rowBytes * RowsPerStep(rowCount);
        TileBytes = TileBytesOf(inputCount, activationBytes, rowCount);
        _values = scratch;
        _scales = (float*)(_values + tileCount * TileBytes);
        _counts = (int*)(_scales + tileCount * TileRows);
        _columns = _counts + tileCount;
        _outliers = (float*)(_columns + (long)tileCount * inputCount);
        _flags = (byte*)(_outliers + (long)tileCount * inputCount * TileRows);
        _united = _flags + (long)tileCount * inputCount;
    }

    /// <summary>From a step of a tile to the next.</summary>
    public nint StepBytes { get; }

    /// <summary>From a tile to the next.</summary>
    public nint TileBytes { get; }

    public byte* United => _united;

    /// <summary>A row's part of its tile's first step.</summary>
    public byte* Values(int row) => _values + row / TileRows * TileBytes + row % TileRows * _rowBytes;

    public ref float Scale(int row) => ref _scales[row];

    public ref int OutlierCount(int tile) => ref _counts[tile];

    public int* OutlierColumns(int tile) => _columns + (long)tile * _inputCount;

    public float* Outliers(int tile) => _outliers + (long)tile * _inputCount * TileRows;

    public byte* Flags(int tile) => _flags + (long)tile * _inputCount;

    public static int TileCount(int rowCount) => (rowCount + TileRows - 1) / TileRows;

    public static long Bytes(int inputCount, int activationBytes, int rowCount)
    {
        long tileCount = TileCount(rowCount), lists = inputCount * (sizeof(int) + TileRows * sizeof(float) + sizeof(byte));
        return tileCount * (TileBytesOf(inputCount, activationBytes, rowCount) + TileRows * sizeof(float) + sizeof(int) + lists) + inputCount;
    }

    // Fewer rows than a tile lie closer; five take a tile of six.
    private static int RowsPerStep(int rowCount) => rowCount >= TileRows - 1 ? TileRows : rowCount;

    private static nint TileBytesOf(int inputCount, int activationBytes, int rowCount)
    {
        long steps = ((long)inputCount + Int8WeightsLayout.LaneInputs - 1) / Int8WeightsLayout.LaneInputs;
        return (nint)CacheLine.RoundUp(steps * Int8WeightsLayout.LaneInputs * activationBytes * RowsPerStep(rowCount));
    }
}
