using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Tests;

/// <summary>Proves that the runtime's instruction-set switches, with which the whole suite is run again, did what they say.</summary>
public sealed class RuntimeSwitchTests
{
    private static bool IsOff(string name) => Environment.GetEnvironmentVariable("DOTNET_" + name) == "0";

    private static IEnumerable<KernelVariant> Cpu(string instructionSet) =>
        KernelInfo.Catalogue.SelectMany(d => d.Variants).Where(v => v.Backend == "cpu" && v.InstructionSet == instructionSet);

    [SkippableFact]
    public void EnableAvx512Off()
    {
        Skip.IfNot(IsOff("EnableAVX512"), "DOTNET_EnableAVX512=0 is not set in this run");
        Assert.False(Avx512F.IsSupported);
        Assert.All(Cpu("avx512"), variant => Assert.Equal(VariantAvailability.Emulated, variant.Availability));
    }

    [SkippableFact]
    public void EnableAvx2Off()
    {
        Skip.IfNot(IsOff("EnableAVX2"), "DOTNET_EnableAVX2=0 is not set in this run");
        Assert.False(Avx2.IsSupported);
        Assert.False(Avx512F.IsSupported);
        Assert.All(Cpu("avx2").Concat(Cpu("avx512")), variant => Assert.Equal(VariantAvailability.Emulated, variant.Availability));
    }

    [SkippableFact]
    public void EnableHWIntrinsicOff()
    {
        Skip.IfNot(IsOff("EnableHWIntrinsic"), "DOTNET_EnableHWIntrinsic=0 is not set in this run");
        Assert.False(Vector256.IsHardwareAccelerated);
        Assert.False(Sse42.IsSupported);
        Assert.All(KernelInfo.Catalogue.Where(d => d.Chosen.Backend == "cpu"), dispatch => Assert.Equal("scalar", dispatch.Chosen.InstructionSet));
    }

    [SkippableFact]
    public void TheBestVariantIsChosenOnThisMachine()
    {
        string wanted = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported ? "avx512"
            : Avx2.IsSupported && Fma.IsSupported ? "avx2"
            : System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported ? "advsimd"
            : Sse42.IsSupported ? "sse42" : "scalar";
        Skip.If(KernelInfo.ForcedVariants is not null, "KERNELS_FORCE is set");
        Assert.All(KernelInfo.Catalogue.Where(d => d.Variants[0].Backend == "cpu"), dispatch => Assert.Equal(Refined(wanted, dispatch), dispatch.Chosen.InstructionSet));
    }

    // A family with integer dot products has a variant of its own for AVX-VNNI.
    private static string Refined(string wanted, KernelDispatch dispatch) =>
        wanted == "avx2" && AvxVnni.IsSupported && dispatch.Variants.Any(variant => variant.InstructionSet == "avxvnni") ? "avxvnni" : wanted;
}
