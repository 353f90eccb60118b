namespace Kernels.Core.NewFamily;

/// <summary>What a backend sees of a <see cref="NewFamilyProblem"/>: pinned pointers and numbers, fit for threads and for the C ABI.</summary>
internal unsafe struct NewFamilyRows
{
    public int RowCount, Width;

    /// <summary>[rows, width].</summary>
    public float* Input, Output;
}
