using System.Runtime.CompilerServices;

namespace Kernels.Cpu;

/// <summary>Panels of 64 outputs for a block of rows: the segments one after another, then bias and the rounding to the output's type.</summary>
internal readonly unsafe struct GemmPanelJob<T, TStorage, TKernels>(in MixedPrecisionGemmRows<T> rows, int firstRow, in ActivationBlock block) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TKernels : struct, IGemmKernels
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns;

    private readonly MixedPrecisionGemmRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly ActivationBlock _block = block;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        // A register of AVX-512 is a cache line: unaligned, every access to the sums would touch two.
        const int alignment = QuantizedWeightsLayout.Alignment;
        byte* unaligned = stackalloc byte[MixedPrecisionGemmTuning.BlockRows * PanelColumns * sizeof(float) + alignment];
        var sums = (float*)(((nint)unaligned + alignment - 1) & -alignment);
        for (long panel = begin; panel < end; panel++)
        {
            new Span<float>(sums, _block.RowCount * PanelColumns).Clear();
            for (int group = 0; group < _rows.Layout.GroupCount; group++)
                AddGroup(panel, group, sums);
            Finish(panel, sums);
        }
    }

    private void AddGroup(long panel, int group, float* sums)
    {
        QuantizedWeightsLayout layout = _rows.Layout;
        long scale = (panel * layout.GroupCount + group) * PanelColumns;
        var segment = new GemmSegment
        {
            Scales = _rows.Weights + layout.ScaleOffset + scale * layout.Format.ScaleBytes,
            ZeroPoints = layout.Format.HasZeroPoints ? _rows.Weights + layout.ZeroPointOffset + scale : null,
            SymmetricZero = layout.Format.SymmetricZero,
            ScaleType = layout.Format.ScaleType,
        };
        for (int i = 0; i < layout.SegmentsPerGroup; i++)
        {
            ActivationSegment activations = _block.Segment(layout, group, i);
            segment.Weights = _rows.Weights + layout.SegmentOffset(panel, group, i);
            segment.StepCount = activations.Length / layout.InputsOfStep;
            if (_rows.Arithmetic == GemmArithmetic.Int8Activations)
                TKernels.AddInt8(segment, activations, sums);
            else
                TKernels.AddExact(segment, activations, sums);
        }
    }

    private void Finish(long panel, float* sums)
    {
        int outputCount = _rows.Layout.OutputCount, firstOutput = (int)panel * PanelColumns, columns = Math.Min(PanelColumns, outputCount - firstOutput);
        for (int row = 0; row < _block.RowCount; row++, sums += PanelColumns)
        {
            for (int column = 0; _rows.Bias != null && column < columns; column++)
                sums[column] += _rows.Bias[firstOutput + column];
            TStorage.Narrow(sums, _rows.Output + (long)(_firstRow + row) * outputCount + firstOutput, columns);
        }
    }
}
