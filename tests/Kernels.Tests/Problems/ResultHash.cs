using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Kernels.Tests;

/// <summary>SHA-256 over the bits of results. All NaN count as one: which operand's payload survives is the compiler's choice.</summary>
internal sealed class ResultHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add<T>(ReadOnlySpan<T> results) where T : unmanaged
    {
        T[] copy = results.ToArray();
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half) || typeof(T) == typeof(BrainFloat16))
        {
            T nan = Element.FromDouble<T>(double.NaN);
            foreach (ref T value in copy.AsSpan())
            {
                if (double.IsNaN(Element.ToDouble(value)))
                    value = nan;
            }
        }
        _hash.AppendData(MemoryMarshal.AsBytes<T>(copy));
    }

    public override string ToString() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();
}
