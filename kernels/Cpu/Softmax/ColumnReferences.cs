using Kernels.Cpu.Primitives;

namespace Kernels.Cpu.Softmax;

/// <summary>
/// The references of adjacent columns, field by field: what <see cref="SoftmaxReference{T}"/> is for one row. Offsets hold the bits of OffsetBits.
/// </summary>
internal readonly ref struct ColumnReferences<T>(ref T origins, ref T floors, ref T offsets) where T : unmanaged
{
    public readonly ref T Origins = ref origins;
    public readonly ref T Floors = ref floors;
    public readonly ref T Offsets = ref offsets;
}
