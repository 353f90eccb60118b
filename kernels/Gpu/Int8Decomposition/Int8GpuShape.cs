using Kernels.Core.Int8Decomposition;

namespace Kernels.Gpu;

/// <summary>What kernels are told about packed weights. Only types that every backend can pass.</summary>
internal readonly struct Int8GpuShape(in Int8WeightsLayout layout)
{
    public const int PanelColumns = Int8WeightsLayout.PanelColumns, LaneInputs = Int8WeightsLayout.LaneInputs;

    public readonly int OutputCount = layout.OutputCount, InputCount = layout.InputCount, PanelCount = layout.PanelCount;

    /// <summary>Steps of four inputs: words of a row of activations, too.</summary>
    public readonly int StepCount = layout.StepCount;
}

/// <summary>The parts of packed weights in a device's memory, as they lie in <see cref="Int8Weights"/>.</summary>
internal readonly struct Int8GpuWeightsView(ILGPU.ArrayView<int> lanes, ILGPU.ArrayView<float> factors)
{
    /// <summary>[panel][step][32]: four inputs of one output in each.</summary>
    public readonly ILGPU.ArrayView<int> Lanes = lanes;

    /// <summary>absmax / 127 of each output, padding included.</summary>
    public readonly ILGPU.ArrayView<float> Factors = factors;
}

/// <summary>A block of rows in eight bits, and what they leave out.</summary>
internal readonly struct Int8GpuRows(ILGPU.ArrayView<int> values, ILGPU.ArrayView<float> scales, ILGPU.ArrayView<int> outliers,
    ILGPU.ArrayView<float> outlierValues,
    ILGPU.ArrayView<int> outlierCounts)
{
    /// <summary>[row][step]: four inputs in each word.</summary>
    public readonly ILGPU.ArrayView<int> Values = values;

    /// <summary>absmax / 127 of each row.</summary>
    public readonly ILGPU.ArrayView<float> Scales = scales;

    /// <summary>[row][inputs]: the row's outlier columns, ascending.</summary>
    public readonly ILGPU.ArrayView<int> Outliers = outliers;

    /// <summary>[row][inputs]: what stands in these columns, as a float.</summary>
    public readonly ILGPU.ArrayView<float> OutlierValues = outlierValues;

    /// <summary>Their number, for each row.</summary>
    public readonly ILGPU.ArrayView<int> OutlierCounts = outlierCounts;
}
