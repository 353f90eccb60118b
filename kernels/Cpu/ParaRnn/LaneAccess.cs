using System.Runtime.CompilerServices;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>How a register is filled from neighbouring channels, as a type argument: not a byte beyond them is touched.</summary>
internal unsafe interface ILaneAccess<V, T>
    where V : unmanaged
    where T : unmanaged
{
    V Load(T* source);

    void Store(V value, T* destination);
}

/// <summary>As many channels as lanes.</summary>
internal readonly unsafe struct WholeRegister<TSimd, V, T> : ILaneAccess<V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Load(T* source) => TSimd.Load(ref *source, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(V value, T* destination) => TSimd.Store(value, ref *destination, 0);
}

/// <summary>Fewer channels than lanes; zeros in the other lanes.</summary>
internal readonly unsafe struct PartialRegister<TSimd, V, T>(int channels) : ILaneAccess<V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private readonly nuint _channels = (nuint)channels;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Load(T* source) => TSimd.LoadFirst(ref *source, 0, _channels, TSimd.Broadcast(default));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(V value, T* destination) => TSimd.StoreFirst(value, ref *destination, 0, _channels);
}

/// <summary>One channel in all lanes: no mask and, where registers have none, no detour through the stack.</summary>
internal readonly unsafe struct SingleLane<TSimd, V, T> : ILaneAccess<V, T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Load(T* source) => TSimd.Broadcast(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(V value, T* destination) => *destination = TSimd.First(value);
}
