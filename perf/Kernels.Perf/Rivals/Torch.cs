using System.Runtime.Intrinsics;
using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>What all scripts that run torch have in common: they begin by saying its version and what its kernels were built for.</summary>
internal static partial class Torch
{
    /// <summary>Names the instructions that its own kernels may use.</summary>
    public const string CapabilityVariable = "ATEN_CPU_CAPABILITY";

    /// <summary>1.13 takes AVX2 on processors younger than itself. It is told what the machine has, unless the user says otherwise.</summary>
    public static string? ForcedCapability { get; } =
        Environment.GetEnvironmentVariable(CapabilityVariable) is null && Vector512.IsHardwareAccelerated ? "avx512" : null;

    /// <summary>An interpreter with torch that runs this script; null if there is none.</summary>
    public static PythonProcess? Start(params ReadOnlySpan<string> scripts)
    {
        string text = EmbeddedText.Read("torch_about.py");
        foreach (string script in scripts)
            text += EmbeddedText.Read(script);
        return PythonProcess.Start(text);
    }

    /// <summary>The line of a rival in torch.</summary>
    /// <param name="identity">See <see cref="RivalStatus.Identity"/>.</param>
    /// <param name="torch">The interpreter, if there is one.</param>
    /// <param name="note">What else is to be said.</param>
    public static RivalStatus Status(string identity, PythonProcess? torch, string note = "") => torch is null
        ? new RivalStatus(identity, "", "absent: no Python interpreter with torch (Debian: python3-torch)")
        : new RivalStatus(identity, torch.Version + (ForcedCapability is null ? "" : $", told so by {CapabilityVariable}") + note,
            null)
        { HeldBack = HeldBack(torch.Version) };

    // Releases since 1.10 have kernels for AVX2 and AVX-512; a build may have left them out, and ATEN_CPU_CAPABILITY may forbid them.
    private static string? HeldBack(string version)
    {
        string capability = Capability().Match(version).Groups["set"].Value.Replace("_256", "", StringComparison.Ordinal),
            best = Vector512.IsHardwareAccelerated ? "AVX512" : Vector256.IsHardwareAccelerated ? "AVX2" : capability;
        return capability == best ? null : $"its kernels are for {capability}, the machine has {best}";
    }

    // torch 2.1.0, CPU capability AVX512, ...
    [GeneratedRegex(@"CPU capability (?<set>[^,]+)")]
    private static partial Regex Capability();
}
