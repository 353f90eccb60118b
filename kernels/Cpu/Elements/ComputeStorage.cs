namespace Kernels.Cpu.Elements;

/// <summary>Elements stored as they are computed with.</summary>
internal readonly unsafe struct ComputeStorage<C> : IStorage<C, C> where C : unmanaged
{
    public static bool IsComputeType => true;

    public static void Widen(C* source, C* destination, int count) => new ReadOnlySpan<C>(source, count).CopyTo(new Span<C>(destination, count));

    public static void Narrow(C* source, C* destination, int count) => Widen(source, destination, count);
}
