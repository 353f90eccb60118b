using System.Runtime.CompilerServices;
using Kernels.Core.Softmax;
using Kernels.Cpu.Elements;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.Softmax;

/// <summary>
/// Hands out blocks of logits as they are exponentiated: widened, scaled, capped and masked in a scratch, or the input itself when nothing is to be done.
/// </summary>
internal readonly unsafe struct LogitStage<T, C, TKernels, TStorage>(in SoftmaxRows<T> rows)
    where T : unmanaged
    where C : unmanaged
    where TKernels : struct, ISoftmaxKernels<C>
    where TStorage : struct, IStorage<T, C>
{
    // Mask elements of a narrow type widened at a time.
    private const int MaskBlockLength = 512;

    private readonly SoftmaxRows<T> _rows = rows;
    private readonly bool _isIdentity = TStorage.IsComputeType && rows.IsPlain;

    /// <summary>Whether logits are exponentiated where they stand, so that staging copies nothing.</summary>
    public bool IsIdentity => _isIdentity;

    /// <summary>The logits [offset, offset + count) of the outer row, in the input or in <paramref name="scratch"/>.</summary>
    public C* Stage(long outer, long offset, int count, C* scratch)
    {
        if (!_isIdentity)
        {
            StageInto(outer, offset, count, scratch);
            return scratch;
        }
        return (C*)(_rows.Input + outer * _rows.Shape.InputRowStride + offset);
    }

    /// <summary>The same, always written to <paramref name="destination"/>, which may be the input itself.</summary>
    public void StageInto(long outer, long offset, int count, C* destination)
    {
        if (count == 0)
            return;
        T* input = _rows.Input + outer * _rows.Shape.InputRowStride + offset;
        if ((void*)input != destination)
            TStorage.Widen(input, destination, count);
        if (_rows.Scale != 1)
            TKernels.Multiply(ref *destination, (nuint)count, ComputeType.FromDouble<C>(_rows.Scale));
        if (_rows.SoftCap > 0)
            TKernels.Cap(ref *destination, (nuint)count, ComputeType.FromDouble<C>(_rows.SoftCap));
        if (_rows.Mask != null)
            AddMask(_rows.Mask + outer * _rows.MaskRowStride + offset, destination, count);
        if (_rows.BooleanMask != null)
            Exclude(_rows.BooleanMask + outer * _rows.BooleanMaskRowStride + offset, destination, count);
    }

    private static void AddMask(T* mask, C* logits, int count)
    {
        if (TStorage.IsComputeType)
            TKernels.Add(ref *logits, ref *(C*)mask, (nuint)count);
        else
            AddNarrowMask(mask, logits, count);
    }

    [SkipLocalsInit]
    private static void AddNarrowMask(T* mask, C* logits, int count)
    {
        C* wide = stackalloc C[MaskBlockLength];
        for (int begin = 0; begin < count; begin += MaskBlockLength)
        {
            int length = Math.Min(MaskBlockLength, count - begin);
            TStorage.Widen(mask + begin, wide, length);
            TKernels.Add(ref logits[begin], ref *wide, (nuint)length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Exclude(bool* takesPart, C* logits, int count)
    {
        C minusInfinity = ComputeType.FromDouble<C>(double.NegativeInfinity);
        for (int i = 0; i < count; i++)
            logits[i] = takesPart[i] ? logits[i] : minusInfinity;
    }
}
