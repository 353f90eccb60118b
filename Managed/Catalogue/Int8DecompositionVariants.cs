using System.Runtime.Intrinsics;
using Kernels.Core.Catalogue;
using Kernels.Core.Elements;
using Kernels.Core.Int8Decomposition;
using Kernels.Cpu.Int8Decomposition;
using Kernels.Native.Int8Decomposition;
using Kernels.Native.Library;

namespace Kernels.Managed;

/// <summary>
/// The variants of one type of activations and outputs, best first, as they were measured (docs/families/int8_decomposition.md): the native avx512vnni leads, since .NET has no
/// 512-bit vpdpbusd; elsewhere the managed one goes before the native one of the same instructions, which is no faster. The scalar ones come last; of these the managed one runs anywhere.
/// </summary>
internal static class Int8DecompositionVariants<T> where T : unmanaged
{
    private static readonly string[] s_instructionSets = ["avx512vnni", "avxvnni", "avx512", "avx2", "advsimd", "sse42", "scalar"];

    public static VariantTable<IInt8DecompositionBackend<T>> Table { get; } = Create(Int8DecompositionCpuVariants.Of<T>());

    // The sort is stable: of equal instruction sets the managed variant stays before the native one.
    private static VariantTable<IInt8DecompositionBackend<T>> Create(VariantEntry<IInt8DecompositionBackend<T>>[] managed) =>
        new(managed.Concat(Native(managed)).OrderBy(entry => Array.IndexOf(s_instructionSets, entry.Variant.InstructionSet)), ForcedVariants.FromEnvironment);

    private static IEnumerable<VariantEntry<IInt8DecompositionBackend<T>>> Native(VariantEntry<IInt8DecompositionBackend<T>>[] managed)
    {
        string types = $"{ElementToken.Of<T>()}_i8_{ElementToken.Of<T>()}";
        return
        [
            Entry<Int8Kernels<Vector256<int>, Int8DotVnni>, Avx512Vnni>("avx512vnni", "avx512"),
            Entry<Int8Kernels<Vector256<int>, Int8DotVnni>, AvxVnni>("avxvnni", "avxvnni"),
            Entry<Int8Kernels<Vector256<int>, Int8DotAvx2>, Avx2>("avx2", "avx2"),
            Entry<Int8Kernels<int, Int8DotScalar>, Scalar>("scalar", "scalar"),
        ];

        // Where the runtime's settings turn an instruction set off, the native variant that uses it is off as well.
        VariantEntry<IInt8DecompositionBackend<T>> Entry<TPacking, TIsa>(string instructionSet, string sameRegisters) where TPacking : struct, IInt8Kernels where TIsa : struct, INativeInt8Isa
        {
            string missing = Array.Find(managed, entry => entry.Variant.InstructionSet == sameRegisters).Variant.Reason;
            KernelVariant variant = Int8DecompositionNativeVariants.Describe(types, instructionSet, TIsa.Isa, missing);
            return new(variant, Int8DecompositionCpuVariants.BackendOf<T, NativeInt8Kernels<TPacking, TIsa>>());
        }
    }

    private readonly struct Avx512Vnni : INativeInt8Isa { public static NativeIsa Isa => NativeIsa.Avx512Vnni; }

    private readonly struct AvxVnni : INativeInt8Isa { public static NativeIsa Isa => NativeIsa.AvxVnni; }

    private readonly struct Avx2 : INativeInt8Isa { public static NativeIsa Isa => NativeIsa.Avx2; }

    private readonly struct Scalar : INativeInt8Isa { public static NativeIsa Isa => NativeIsa.Scalar; }
}
