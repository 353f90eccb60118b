using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.MixedPrecisionGemm;
using Kernels.Core.Threading;
using Kernels.Cpu.Elements;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// Panels of 64 outputs for a block of rows: the segments one after another, then bias and the rounding to the output's type. Where there are few panels the
/// items are parts of them (<see cref="GemmParts"/>), whose sums <see cref="Reduce"/> adds in order.
/// </summary>
/// <param name="rows">The product.</param>
/// <param name="firstRow">The block's first row.</param>
/// <param name="block">Its activations.</param>
/// <param name="parts">How a panel is cut.</param>
/// <param name="partSums">[panels, parts, rows of the block, 64]; null for a single part.</param>
internal readonly unsafe struct GemmPanelJob<T, TStorage, TKernels>(in MixedPrecisionGemmRows<T> rows, int firstRow, in ActivationBlock block, GemmParts parts,
    float* partSums) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TKernels : struct, IGemmKernels
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns;

    private readonly MixedPrecisionGemmRows<T> _rows = rows;
    private readonly int _firstRow = firstRow;
    private readonly ActivationBlock _block = block;
    private readonly GemmParts _parts = parts;
    private readonly float* _partSums = partSums;

    private int SumCount => _block.RowCount * PanelColumns;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        if (_parts.Count > 1)
        {
            for (long item = begin; item < end; item++)
                AddPart(item / _parts.Count, (int)(item % _parts.Count), _partSums + item * SumCount);
            return;
        }
        // A register of AVX-512 is a cache line: unaligned, every access to the sums would touch two.
        const int alignment = QuantizedWeightsLayout.Alignment;
        byte* unaligned = stackalloc byte[MixedPrecisionGemmTuning.BlockRows * PanelColumns * sizeof(float) + alignment];
        var sums = (float*)(((nint)unaligned + alignment - 1) & -alignment);
        for (long panel = begin; panel < end; panel++)
        {
            AddPart(panel, 0, sums);
            Finish(panel, sums);
        }
    }

    /// <summary>Adds the parts of a panel, in order, to the first, and writes the results.</summary>
    public void Reduce(long panel)
    {
        float* sums = _partSums + panel * _parts.Count * SumCount;
        for (int part = 1; part < _parts.Count; part++)
        {
            for (int i = 0; i < SumCount; i += Vector128<float>.Count)
                (Vector128.Load(sums + i) + Vector128.Load(sums + part * SumCount + i)).Store(sums + i);
        }
        Finish(panel, sums);
    }

    private void AddPart(long panel, int part, float* sums)
    {
        new Span<float>(sums, SumCount).Clear();
        QuantizedWeightsLayout layout = _rows.Layout;
        (int first, int end) = _parts.Groups(part);
        if (layout.SegmentsPerGroup == 1)
        {
            AddRun(panel, first, 0, end - first, sums);
            return;
        }
        int whole = layout.GroupSize / QuantizedWeightsLayout.LargestSegment;
        for (int group = first; group < end; group++)
        {
            AddRun(panel, group, 0, whole, sums);
            if (whole < layout.SegmentsPerGroup)
                AddRun(panel, group, whole, 1, sums);
        }
    }

    // Segments from this one of a group on, which are as long as it.
    private void AddRun(long panel, int group, int segmentOfGroup, int count, float* sums)
    {
        QuantizedWeightsLayout layout = _rows.Layout;
        bool isInt8 = _rows.Arithmetic == GemmArithmetic.Int8Activations;
        long scale = (panel * layout.GroupCount + group) * PanelColumns;
        ActivationSegment activations = _block.Segment(layout, group, segmentOfGroup);
        int steps = activations.Length / layout.InputsOfStep;
        var segment = new GemmSegment
        {
            Weights = _rows.Weights + layout.SegmentOffset(panel, group, segmentOfGroup),
            Scales = _rows.Weights + layout.ScaleOffset + scale * layout.Format.ScaleBytes,
            ZeroPoints = layout.Format.HasZeroPoints ? _rows.Weights + layout.ZeroPointOffset + scale : null,
            SymmetricZero = layout.Format.SymmetricZero,
            ScaleType = layout.Format.ScaleType,
            StepCount = steps,
        };
        int groupStride = layout.SegmentsPerGroup == 1 ? PanelColumns : 0;
        var run = new GemmRun(segment, activations, count, groupStride, layout.Format.ScaleBytes, steps * layout.StepBytes, isInt8 ? sizeof(sbyte)
            : sizeof(float));
        if (isInt8)
            TKernels.AddInt8(run, sums);
        else
            TKernels.AddExact(run, sums);
    }

    private void Finish(long panel, float* sums)
    {
        int outputCount = _rows.Layout.OutputCount, firstOutput = (int)panel * PanelColumns, columns = Math.Min(PanelColumns, outputCount - firstOutput);
        for (int row = 0; row < _block.RowCount; row++, sums += PanelColumns)
        {
            for (int column = 0; _rows.Bias != null && column < columns; column++)
                sums[column] += _rows.Bias[firstOutput + column];
            TStorage.Narrow(sums, _rows.Output + (_firstRow + row) * _rows.OutputStride + firstOutput, columns);
        }
    }
}

/// <summary>The second step of a product whose panels were cut: the items are the panels.</summary>
internal readonly struct GemmReductionJob<T, TStorage, TKernels>(in GemmPanelJob<T, TStorage, TKernels> parts) : IRangeJob
    where T : unmanaged
    where TStorage : struct, IStorage<T, float>
    where TKernels : struct, IGemmKernels
{
    private readonly GemmPanelJob<T, TStorage, TKernels> _parts = parts;

    public void Run(long begin, long end)
    {
        for (long panel = begin; panel < end; panel++)
            _parts.Reduce(panel);
    }
}
