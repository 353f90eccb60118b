using Kernels.Core.Primitives;

namespace Kernels.Core.ParaRnn;

/// <summary>One implementation of the family for one element type. Arguments were checked at the door and are pinned for the call.</summary>
internal interface IParaRnnBackend<T> where T : unmanaged
{
    /// <summary>The states of all steps.</summary>
    SolveReport Forward<TCell>(in RnnArrays<T> arrays, in RnnSolverSettings settings, in KernelOptions options) where TCell : struct, IDifferentiableRnnCell;

    /// <summary>The gradients.</summary>
    void Backward<TCell>(in RnnArrays<T> arrays, in RnnGradientArrays<T> gradients, in KernelOptions options) where TCell : struct, IDifferentiableRnnCell;

    /// <summary>A dense matrix product: what makes the gate inputs of all steps at once.</summary>
    void Multiply(in ProductArrays<T> arrays, in KernelOptions options);

    /// <summary>An affine recurrence.</summary>
    void Scan(in AffineArrays<T> arrays, in KernelOptions options);
}
