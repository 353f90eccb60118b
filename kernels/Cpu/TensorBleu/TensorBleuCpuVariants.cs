using System.Numerics;
using Kernels.Core.Catalogue;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>The managed BLEU variants: two algorithms, of which each checks the other.</summary>
internal static class TensorBleuCpuVariants
{
    private const string Family = "tensor_bleu", Backend = "cpu";

    /// <summary>The variants of one type of ids, best first. Both run everywhere.</summary>
    public static VariantEntry<IBleuBackend<T>>[] Of<T>() where T : unmanaged, IBinaryInteger<T> =>
    [
        Entry("hash", new BleuHash<T>()),
        Entry("sort", new BleuSort<T>()),
    ];

    private static VariantEntry<IBleuBackend<T>> Entry<T>(string algorithm, IBleuBackend<T> backend) where T : unmanaged, IBinaryInteger<T> =>
        new(new KernelVariant(Family, TokenType.Of<T>(), Backend, algorithm, VariantAvailability.Available, ""), backend);
}
