namespace Kernels.Cpu.Elements;

/// <summary>
/// How elements of type T are kept in memory while kernels compute in C: widened block by block into a scratch that fits level 1, and rounded once on the way
/// back.
/// </summary>
internal unsafe interface IStorage<T, C>
    where T : unmanaged
    where C : unmanaged
{
    /// <summary>Whether T is C, so that blocks need no conversion.</summary>
    static abstract bool IsComputeType { get; }

    /// <summary>Without loss.</summary>
    static abstract void Widen(T* source, C* destination, int count);

    /// <summary>Round to nearest, ties to even.</summary>
    static abstract void Narrow(C* source, T* destination, int count);
}
