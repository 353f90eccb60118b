using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using X86 = System.Runtime.Intrinsics.X86;

namespace Kernels.Core.Machine;

/// <summary>An instruction set, as a type: an argument of micro-kernels, so that its number is a constant in them.</summary>
internal interface IInstructionSet
{
    /// <summary>Its word in identities of variants.</summary>
    static abstract string Word { get; }

    /// <summary>
    /// Whether the processor has it, as far as the runtime knows, and no setting of the runtime (<c>DOTNET_EnableAVX512=0</c> and its kind) turns it off.
    /// </summary>
    static abstract bool IsOn { get; }

    /// <summary>Why managed code cannot use it, where <see cref="IsOn"/> is false.</summary>
    static abstract string Absence { get; }
}

/// <summary>An instruction set that native code is compiled for.</summary>
internal interface INativeInstructionSet : IInstructionSet
{
    /// <summary>Its number in the C ABI (<c>native/include/kernels/kernels.h</c>).</summary>
    static abstract int NativeNumber { get; }
}

/// <summary>
/// Every instruction set that a variant is written for; which of them a family has, and in which order they were measured to be best, is its own table's
/// affair. Managed code may use what is on. Native code may use what the native library finds on the processor, but for what the user turned off
/// (<see cref="NativeAbsence{TSet}(string)"/>).
/// </summary>
internal static class InstructionSets
{
    private const string TurnedOff = "the runtime's settings turn it off";

    /// <summary>One element at a time; runs everywhere.</summary>
    public readonly struct Scalar : INativeInstructionSet
    {
        public static string Word => "scalar";

        public static int NativeNumber => 0;

        public static bool IsOn => true;

        public static string Absence => "";
    }

    /// <summary>128 bits of x86-64: SSE4.2 and what came before it.</summary>
    public readonly struct Sse42 : IInstructionSet
    {
        public static string Word => "sse42";

        public static bool IsOn => X86.Sse42.IsSupported;

        public static string Absence => "not an x86-64 processor, or the runtime's settings turn SIMD off";
    }

    /// <summary>128 bits of ARM64.</summary>
    public readonly struct AdvSimd128 : IInstructionSet
    {
        public static string Word => "advsimd";

        public static bool IsOn => AdvSimd.Arm64.IsSupported;

        public static string Absence => "not an ARM64 processor";
    }

    /// <summary>256 bits with fused multiply-adds; native code asks for F16C besides.</summary>
    public readonly struct Avx2 : INativeInstructionSet
    {
        public static string Word => "avx2";

        public static int NativeNumber => 1;

        public static bool IsOn => X86.Avx2.IsSupported && X86.Fma.IsSupported;

        public static string Absence => "the processor or the runtime's settings lack AVX2 or FMA";
    }

    /// <summary>256 bits with dot products of four bytes (vpdpbusd).</summary>
    public readonly struct AvxVnni : INativeInstructionSet
    {
        public static string Word => "avxvnni";

        public static int NativeNumber => 3;

        public static bool IsOn => Avx2.IsOn && X86.AvxVnni.IsSupported;

        public static string Absence => "the processor or the runtime's settings lack AVX-VNNI, AVX2 or FMA";
    }

    /// <summary>512 bits: F, BW and DQ; native code asks for VL besides.</summary>
    public readonly struct Avx512 : INativeInstructionSet
    {
        public static string Word => "avx512";

        public static int NativeNumber => 2;

        public static bool IsOn => X86.Avx512F.IsSupported && X86.Avx512BW.IsSupported && X86.Avx512DQ.IsSupported;

        public static string Absence => "the processor or the runtime's settings lack AVX-512 F, BW or DQ";
    }

    /// <summary>
    /// 512 bits with dot products of four bytes: native alone. .NET 10 has neither intrinsics nor a switch for them, so that the switch of AVX-512 is theirs.
    /// </summary>
    public readonly struct Avx512Vnni : INativeInstructionSet
    {
        public static string Word => "avx512vnni";

        public static int NativeNumber => 4;

        public static bool IsOn => Avx512.IsOn;

        public static string Absence => Avx512.Absence;
    }

    /// <summary>Why native code for an instruction set may not run here; empty if it may.</summary>
    /// <remarks>
    /// The processor is asked, by the native library. Where code is compiled as it runs, the runtime has asked the same processor: what is off there and not
    /// here, a setting of the runtime turned off, and native code obeys it, so that an older machine can be tried on a newer one. Code compiled ahead of time
    /// has its instruction sets from the target that was named then, which says nothing about the machine: the processor alone decides.
    /// </remarks>
    /// <param name="native">Why the native library cannot run it on this processor; empty if it can.</param>
    public static string NativeAbsence<TSet>(string native) where TSet : struct, INativeInstructionSet =>
        NativeAbsence(native, TSet.IsOn, RuntimeFeature.IsDynamicCodeCompiled);

    internal static string NativeAbsence(string native, bool isOn, bool isCompiledAsItRuns) => native.Length > 0 ? native : isOn || !isCompiledAsItRuns ? ""
        : TurnedOff;
}
