namespace Kernels.Cpu.SpGemm;

/// <summary>
/// From a column to the slot in which its sum is kept. States and values lie apart, indexed by slot, so that probing touches nothing but tags.
/// </summary>
internal interface ISlots
{
    /// <summary>The slot of a column, taken for it if it has none yet.</summary>
    nint Find(int column);

    /// <summary>The slot of a column, or -1 if it has none.</summary>
    nint Lookup(int column);

    /// <summary>Takes all columns out.</summary>
    void Clear();
}
