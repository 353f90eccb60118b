namespace Kernels.Core.NewFamily;

/// <summary>One implementation of the family. Arguments were checked at the door and are pinned for the call.</summary>
internal interface INewFamilyBackend
{
    void Compute(in NewFamilyRows rows, in KernelOptions options);
}
