using System.Numerics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.TensorBleu;
using Kernels.Native.Library;

namespace Kernels.Cpu.TensorBleu;

/// <summary>The managed BLEU variants: two algorithms, of which each checks the other.</summary>
internal static class TensorBleuCpuVariants
{
    /// <summary>The variants of one type of ids, best first. Both run everywhere.</summary>
    public static VariantEntry<IBleuBackend<T>>[] Of<T>() where T : unmanaged, IBinaryInteger<T>
    {
        var entries = new VariantEntries<IBleuBackend<T>>("tensor_bleu", TypeName.Of<T>(), NativeKernels.AbsenceOf);
        return [entries.Algorithm("hash", new BleuHash<T>()), entries.Algorithm("sort", new BleuSort<T>())];
    }
}
