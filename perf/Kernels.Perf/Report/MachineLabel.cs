using System.Reflection;

namespace Kernels.Perf;

/// <summary>The names under which measurements of this machine are kept.</summary>
internal static class MachineLabel
{
    private static MachineInfo Machine => MachineInfo.Current;

    /// <summary>Processor, processors, caches and instruction sets.</summary>
    public static string Hardware { get; } =
        $"{Machine.ProcessorName}, {Machine.ProcessorCount} processors, L1d {Format.Bytes(Machine.Level1DataBytes)}, L2 {Format.Bytes(Machine.Level2Bytes)}, "
        + $"L3 {Format.Bytes(Machine.Level3Bytes)}, {Widest}";

    /// <summary>System, runtime and the version of this library.</summary>
    public static string Software { get; } = $"{Machine.Platform}; Kernels {Version}";

    /// <summary>Both, for headings.</summary>
    public static string Full { get; } = $"{Hardware}; {Software}";

    /// <summary>A folder name: processor, count of processors and widest instruction set, as in <c>amd-epyc-2p-avx512vbmi</c>.</summary>
    public static string Slug { get; } = Slugged($"{Machine.ProcessorName} {Machine.ProcessorCount}p {Widest}");

    private static string Widest => Machine.InstructionSets.LastOrDefault() ?? "scalar";

    private static string Version => typeof(KernelInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unversioned";

    private static string Slugged(string text)
    {
        IEnumerable<string> words = new string([.. text.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : ' ')])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Join('-', words);
    }
}
