using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Tests;

/// <summary>Proves that the runtime's instruction-set switches, with which the whole suite is run again, did what they say.</summary>
public sealed class RuntimeSwitchTests
{
    private static bool IsOff(string name) => Environment.GetEnvironmentVariable("DOTNET_" + name) == "0";

    // Native code asks the processor, yet obeys the switches: what they turn off is there in no form.
    private static void AssertNoNativeCodeFor(params string[] instructionSets)
    {
        IEnumerable<KernelVariant> off = KernelInfo.Catalogue.SelectMany(d => d.Variants)
            .Where(v => v.Backend == "native" && instructionSets.Contains(v.Implementation));
        Assert.NotEmpty(off);
        Assert.All(off, variant => Assert.Equal(VariantAvailability.Absent, variant.Availability));
    }

    private static IEnumerable<KernelVariant> Cpu(string instructionSet) =>
        KernelInfo.Catalogue.SelectMany(d => d.Variants).Where(v => v.Backend == "cpu" && v.Implementation == instructionSet);

    // Families whose variants are instruction sets, not algorithms.
    private static KernelDispatch[] Vectorised { get; } =
        [.. KernelInfo.Catalogue.Where(d => d.Variants.Any(v => v is { Backend: "cpu", Implementation: "scalar" }))];

    private static string BestOnCpu(KernelDispatch dispatch) =>
        dispatch.Variants.First(v => v.Backend == "cpu" && v.Availability == VariantAvailability.Available).Implementation;

    [SkippableFact]
    public void EnableAvx512Off()
    {
        Skip.IfNot(IsOff("EnableAVX512"), "DOTNET_EnableAVX512=0 is not set in this run");
        Assert.False(Avx512F.IsSupported);
        Assert.All(Cpu("avx512"), variant => Assert.Equal(VariantAvailability.Emulated, variant.Availability));
        AssertNoNativeCodeFor("avx512", "avx512vnni");
    }

    [SkippableFact]
    public void EnableAvx2Off()
    {
        Skip.IfNot(IsOff("EnableAVX2"), "DOTNET_EnableAVX2=0 is not set in this run");
        Assert.False(Avx2.IsSupported);
        Assert.False(Avx512F.IsSupported);
        Assert.All(Cpu("avx2").Concat(Cpu("avx512")), variant => Assert.Equal(VariantAvailability.Emulated, variant.Availability));
        AssertNoNativeCodeFor("avx2", "avxvnni", "avx512", "avx512vnni");
    }

    [SkippableFact]
    public void EnableHWIntrinsicOff()
    {
        Skip.IfNot(IsOff("EnableHWIntrinsic"), "DOTNET_EnableHWIntrinsic=0 is not set in this run");
        Assert.False(Vector256.IsHardwareAccelerated);
        Assert.False(Sse42.IsSupported);
        Assert.NotEmpty(Vectorised);
        Assert.All(Vectorised, dispatch => Assert.Equal("scalar", BestOnCpu(dispatch)));
        AssertNoNativeCodeFor("avx2", "avxvnni", "avx512", "avx512vnni");
    }

    [Fact]
    public void TheBestManagedVariantIsTheFirstAvailableOne()
    {
        string wanted = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported ? "avx512"
            : Avx2.IsSupported && Fma.IsSupported ? "avx2"
            : System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported ? "advsimd"
            : Sse42.IsSupported ? "sse42" : "scalar";
        Assert.NotEmpty(Vectorised);
        Assert.All(Vectorised, dispatch => Assert.Equal(Refined(wanted, dispatch), BestOnCpu(dispatch)));
    }

    // Families with integer dot products have a variant of their own for AVX-VNNI. Exact products of bytes prefer it to AVX-512 too, for .NET's vpdpbusd has
    // 256 bits and the 512-bit variant does without.
    private static string Refined(string wanted, KernelDispatch dispatch) =>
        (wanted == "avx2" || (wanted == "avx512" && dispatch.Chosen.Family == "int8_decomposition")) && AvxVnni.IsSupported
        && dispatch.Variants.Any(variant => variant.Implementation == "avxvnni") ? "avxvnni" : wanted;
}
