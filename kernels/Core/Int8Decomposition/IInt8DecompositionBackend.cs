namespace Kernels.Core.Int8Decomposition;

/// <summary>One implementation of the family for one element type. Arguments were checked at the door and are pinned for the call.</summary>
internal unsafe interface IInt8DecompositionBackend<T> where T : unmanaged
{
    void Multiply(in Int8DecompositionRows<T> rows, in KernelOptions options);

    void MultiplyInt8(in Int8ProductRows rows, in KernelOptions options);

    void QuantizeRows(in Int8QuantizationRows<T> rows, in KernelOptions options);

    void QuantizeColumns(in Int8QuantizationRows<T> rows, in KernelOptions options);

    /// <summary>For each column whether any row has an outlier there: 1 or 0.</summary>
    void FindOutlierColumns(in Int8QuantizationRows<T> rows, byte* hasOutlier, in KernelOptions options);

    /// <summary>Matrix = values absmax / 127, by rows.</summary>
    void Dequantize(in Int8QuantizationRows<T> rows, in KernelOptions options);

    void DequantizeProduct(in Int8DequantizationRows<T> rows, in KernelOptions options);
}

/// <summary>One implementation of the layer's gradients. Arguments were checked at the door and are pinned for the call.</summary>
internal interface IInt8GradientBackend<T> where T : unmanaged
{
    void Backward(in Int8GradientRows<T> rows, in KernelOptions options);
}

/// <summary>Packed weights at their addresses.</summary>
internal unsafe struct Int8WeightsRows(Int8Weights weights)
{
    public readonly Int8WeightsLayout Layout = weights.Layout;
    public readonly byte* Panels = weights.Panels;

    /// <summary>absmax / 127 of each output, padded with zeros to whole panels.</summary>
    public readonly float* Factors = weights.Factors;

    /// <summary>The sum of each output's values, padded with zeros to whole panels.</summary>
    public readonly int* Sums = weights.Sums;
}

/// <summary>output[m, n] = activations[m, k] W[n, k]^T + bias[n], outliers in float.</summary>
internal unsafe struct Int8DecompositionRows<T> where T : unmanaged
{
    public int RowCount;
    public Int8WeightsRows Weights;

    /// <summary>What is not below it in magnitude is an outlier; infinity where decomposition is off.</summary>
    public float Limit;

    public OutlierScope Outliers;
    public T* Activations;
    public T* Output;

    /// <summary>Null for none.</summary>
    public float* Bias;
}

/// <summary>products[m, n] = values[m, k] q[n, k]^T, exact.</summary>
internal unsafe struct Int8ProductRows
{
    public int RowCount;
    public Int8WeightsRows Weights;
    public sbyte* Values;
    public int* Products;
}

/// <summary>A matrix [RowCount, ColumnCount], its values and its largest magnitudes by rows or by columns.</summary>
internal unsafe struct Int8QuantizationRows<T> where T : unmanaged
{
    public int RowCount;
    public int ColumnCount;
    public float Limit;
    public T* Matrix;
    public sbyte* Values;
    public float* AbsMax;
}

/// <summary>output[m, n] = products[m, n] rowAbsMax[m] columnAbsMax[n] / 127^2 + bias[n].</summary>
internal unsafe struct Int8DequantizationRows<T> where T : unmanaged
{
    public int RowCount;
    public int ColumnCount;
    public int* Products;
    public float* RowAbsMax;
    public float* ColumnAbsMax;

    /// <summary>Null for none.</summary>
    public float* Bias;

    public T* Output;
}

/// <summary>Gradients of y = x W^T + b. Outputs that are null are not wanted.</summary>
internal unsafe struct Int8GradientRows<T> where T : unmanaged
{
    public int RowCount;
    public Int8WeightsRows Weights;

    /// <summary>dy, [m, n].</summary>
    public T* OutputGradient;

    /// <summary>x, [m, k]; null unless the weights' gradient is wanted.</summary>
    public T* Activations;

    /// <summary>dx = dy W, [m, k].</summary>
    public T* InputGradient;

    /// <summary>dW = dy^T x, [n, k].</summary>
    public float* WeightGradient;

    /// <summary>db = sum of dy over rows, [n].</summary>
    public float* BiasGradient;
}
