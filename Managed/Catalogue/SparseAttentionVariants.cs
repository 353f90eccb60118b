using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.Catalogue;
using Kernels.Core.SparseAttention;
using Kernels.Cpu.Simd;
using Kernels.Cpu.SparseAttention;
using Kernels.Native.Library;
using Kernels.Native.SparseAttention;

namespace Kernels.Managed;

/// <summary>
/// The variants of the family, best first, for each type of keys and values. Of one instruction set the native variant leads, as it was measured
/// (docs/families/sparse_attention.md): it widens stored elements in one instruction. The scalar ones come last; of these the managed one runs anywhere.
/// </summary>
internal static class SparseAttentionVariants
{
    private static readonly string[] s_instructionSets = ["avx512", "avx2", "advsimd", "sse42", "scalar"];

    private static readonly VariantTable<ISparseAttentionBackend>[] s_tables = [.. Enum.GetValues<KeyValueType>().Select(Create)];

    public static VariantTable<ISparseAttentionBackend> Of(KeyValueType type) => s_tables[(int)type];

    // The sort is stable: of equal instruction sets the native variant stays before the managed one.
    private static VariantTable<ISparseAttentionBackend> Create(KeyValueType type)
    {
        VariantEntry<ISparseAttentionBackend>[] managed = SparseAttentionCpuVariants.Of(type);
        return new(Native(type, managed).Concat(managed).OrderBy(entry => Array.IndexOf(s_instructionSets, entry.Variant.InstructionSet)), ForcedVariants.FromEnvironment);
    }

    private static IEnumerable<VariantEntry<ISparseAttentionBackend>> Native(KeyValueType type, VariantEntry<ISparseAttentionBackend>[] managed)
    {
        return
        [
            Entry<AttentionKernels<Simd512<float>, Vector512<float>, PlaneDot512, Vector512<int>>, Avx512Kernels>("avx512"),
            Entry<AttentionKernels<Simd256<float>, Vector256<float>, PlaneDot256, Vector256<int>>, Avx2Kernels>("avx2"),
            Entry<AttentionKernels<SimdScalar<float>, float, PlaneDotScalar, int>, ScalarKernels>("scalar"),
        ];

        // Where the runtime's settings turn an instruction set off, the native variant that uses it is off as well.
        VariantEntry<ISparseAttentionBackend> Entry<TManaged, TIsa>(string instructionSet) where TManaged : struct, IAttentionKernels where TIsa : struct, INativeAttentionIsa
        {
            string missing = Array.Find(managed, entry => entry.Variant.InstructionSet == instructionSet).Variant.Reason;
            KernelVariant variant = SparseAttentionNativeVariants.Describe(type.Token(), instructionSet, TIsa.Isa, missing);
            return new(variant, SparseAttentionCpuVariants.BackendOf<NativeAttentionKernels<TManaged, TIsa>>(type));
        }
    }

    private readonly struct Avx512Kernels : INativeAttentionIsa
    {
        public static NativeIsa Isa => NativeIsa.Avx512;

        public static NativeIsa PlaneIsa => NativeIsa.Avx512Vnni;

        // The runtime has no switch for this one alone.
        public static bool AllowsPlanes => true;
    }

    private readonly struct Avx2Kernels : INativeAttentionIsa
    {
        public static NativeIsa Isa => NativeIsa.Avx2;

        public static NativeIsa PlaneIsa => NativeIsa.AvxVnni;

        public static bool AllowsPlanes => AvxVnni.IsSupported;
    }

    private readonly struct ScalarKernels : INativeAttentionIsa
    {
        public static NativeIsa Isa => NativeIsa.Scalar;

        public static NativeIsa PlaneIsa => NativeIsa.Scalar;

        public static bool AllowsPlanes => false;
    }
}
