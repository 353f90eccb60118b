using Kernels.Core.Catalogue;
using Kernels.Core.Softmax;
using Kernels.Cpu.Softmax;

namespace Kernels.Managed;

/// <summary>The softmax variants of one element type, best first.</summary>
internal static class SoftmaxVariants<T> where T : unmanaged
{
    public static VariantTable<ISoftmaxBackend<T>> Table { get; } = new(SoftmaxCpuVariants.Of<T>(), ForcedVariants.FromEnvironment);
}
