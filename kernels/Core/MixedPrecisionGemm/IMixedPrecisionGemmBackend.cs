namespace Kernels.Core.MixedPrecisionGemm;

/// <summary>
/// One implementation of the family for one element type and one width of weights. Arguments were checked at the door and are pinned for the call.
/// </summary>
internal interface IMixedPrecisionGemmBackend<T> where T : unmanaged
{
    void Multiply(in MixedPrecisionGemmRows<T> rows, in KernelOptions options);
}

/// <summary>
/// What a backend sees, and must heed, of a <see cref="MixedPrecisionGemmProblem{T}"/>: output[m, n] = activations[m, k] W[n, k]^T + bias[n], at pinned
/// addresses.
/// </summary>
internal unsafe struct MixedPrecisionGemmRows<T> where T : unmanaged
{
    public int RowCount;
    public GemmArithmetic Arithmetic;
    public QuantizedWeightsLayout Layout;
    public byte* Weights;

    /// <summary>Packed input i meets activation InputOrder[i] of each row; null where they stand in order.</summary>
    public int* InputOrder;
    public T* Activations;
    public T* Output;

    /// <summary>Elements from one row's start to the next: at least as many as a row has.</summary>
    public long ActivationStride, OutputStride;

    /// <summary>Null for none.</summary>
    public float* Bias;
}
