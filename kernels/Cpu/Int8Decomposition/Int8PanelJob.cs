using System.Runtime.CompilerServices;
using Kernels.Core.Int8Decomposition;
using Kernels.Core.Threading;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>What becomes of the integer sums of a panel, while they are in level 1.</summary>
internal unsafe interface IInt8Output
{
    /// <param name="panel">The panel's number.</param>
    /// <param name="firstRow">The first row, within the block: the first of a tile.</param>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="sums">[rowCount][32].</param>
    void Write(int panel, int firstRow, int rowCount, int* sums);
}

/// <summary>
/// Panels of 32 outputs for a block of rows. A panel is taken in blocks of steps that stay in level 1 while all rows pass by; then its sums go to the output.
/// An item is a panel, or a part of the block's rows in a panel.
/// </summary>
internal readonly unsafe struct Int8PanelJob<TKernels, TOutput>(in Int8WeightsRows weights, in Int8ActivationBlock block, int rowCount, int partCount,
    TOutput output) : IRangeJob
    where TKernels : struct, IInt8Kernels
    where TOutput : unmanaged, IInt8Output
{
    private const int PanelColumns = Int8WeightsLayout.PanelColumns, TileRows = Int8DecompositionTuning.TileRows,
        BlockSteps = Int8DecompositionTuning.BlockSteps;

    private readonly Int8WeightsRows _weights = weights;
    private readonly Int8ActivationBlock _block = block;
    private readonly int _rowCount = rowCount;
    private readonly int _partCount = partCount;
    private readonly TOutput _output = output;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        byte* unaligned = stackalloc byte[Int8DecompositionTuning.BlockRows * PanelColumns * sizeof(int) + Int8WeightsLayout.Alignment];
        var sums = (int*)(((nint)unaligned + Int8WeightsLayout.Alignment - 1) & -Int8WeightsLayout.Alignment);
        int tileCount = Int8ActivationBlock.TileCount(_rowCount);
        for (long item = begin; item < end; item++)
        {
            (long panel, long part) = Math.DivRem(item, _partCount);
            int firstRow = (int)(part * tileCount / _partCount) * TileRows,
                lastRow = Math.Min((int)((part + 1) * tileCount / _partCount) * TileRows, _rowCount);
            Multiply((int)panel, firstRow, lastRow - firstRow, sums);
            _output.Write((int)panel, firstRow, lastRow - firstRow, sums);
        }
    }

    private void Multiply(int panel, int firstRow, int rowCount, int* sums)
    {
        Start(panel, rowCount, sums);
        byte* weights = _weights.Panels + panel * _weights.Layout.PanelBytes, activations = _block.Values(firstRow);
        for (int step = 0; step < _weights.Layout.StepCount; step += BlockSteps)
        {
            int steps = Math.Min(BlockSteps, _weights.Layout.StepCount - step);
            TKernels.Add(weights + (long)step * Int8WeightsLayout.StepBytes, activations + step * _block.StepBytes, _block.StepBytes, _block.TileBytes,
                rowCount, steps, sums);
        }
    }

    // What the shift of the activations will add, taken off beforehand; modulo 2^32.
    private void Start(int panel, int rowCount, int* sums)
    {
        for (int column = 0; column < PanelColumns; column++)
            sums[column] = -TKernels.ActivationShift * _weights.Sums[panel * PanelColumns + column];
        for (int row = 1; row < rowCount; row++)
            new ReadOnlySpan<int>(sums, PanelColumns).CopyTo(new Span<int>(sums + row * PanelColumns, PanelColumns));
    }
}
