using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Kernels;

/// <summary>What this process found out about the machine it runs on. Read once, when first asked.</summary>
public sealed class MachineInfo
{
    private const long Kibi = 1024;

    // Where the operating system does not tell: the smallest caches of any x86-64 or ARM64 server core sold since 2015.
    private const long FallbackLevel1Bytes = 32 * Kibi;
    private const long FallbackLevel2Bytes = 256 * Kibi;
    private const long FallbackLevel3Bytes = 8 * Kibi * Kibi;

    /// <summary>This machine.</summary>
    public static MachineInfo Current { get; } = new();

    private MachineInfo()
    {
        Level1DataBytes = CacheBytes("1", "Data") ?? FallbackLevel1Bytes;
        Level2Bytes = CacheBytes("2", "Unified") ?? FallbackLevel2Bytes;
        Level3Bytes = CacheBytes("3", "Unified") ?? FallbackLevel3Bytes;
        ProcessorName = ReadProcessorName();
    }

    /// <summary>The processor's own name for itself, or its architecture where the operating system does not tell.</summary>
    public string ProcessorName { get; }

    /// <summary>The number of processors this process may use.</summary>
    public int ProcessorCount { get; } = Environment.ProcessorCount;

    /// <summary>The level 1 data cache of one core, in bytes.</summary>
    public long Level1DataBytes { get; }

    /// <summary>The level 2 cache of one core, in bytes.</summary>
    public long Level2Bytes { get; }

    /// <summary>The last-level cache shared by the cores, in bytes.</summary>
    public long Level3Bytes { get; }

    /// <summary>The instruction sets that managed kernels may use, weakest first.</summary>
    public IReadOnlyList<string> InstructionSets { get; } = DetectInstructionSets();

    /// <summary>The operating system and the runtime, for labels on measurements.</summary>
    public string Platform { get; } =
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}";

    private static List<string> DetectInstructionSets()
    {
        (string Name, bool Supported)[] known =
        [
            ("vector128", Vector128.IsHardwareAccelerated), ("avx", Avx.IsSupported), ("fma", Fma.IsSupported), ("avx2", Avx2.IsSupported),
            ("avxvnni", AvxVnni.IsSupported), ("avx512f", Avx512F.IsSupported), ("avx512bw", Avx512BW.IsSupported), ("avx512vbmi", Avx512Vbmi.IsSupported),
            ("advsimd", AdvSimd.IsSupported), ("dotprod", Dp.IsSupported),
        ];
        return [.. known.Where(set => set.Supported).Select(set => set.Name)];
    }

    // Linux: /sys/devices/system/cpu/cpu0/cache/index*/{level,type,size}, size as "512K".
    private static long? CacheBytes(string level, string type)
    {
        const string root = "/sys/devices/system/cpu/cpu0/cache";
        try
        {
            foreach (string index in Directory.Exists(root) ? Directory.GetDirectories(root, "index*") : [])
            {
                if (ReadLine(index, "level") == level && ReadLine(index, "type") == type)
                    return ParseSize(ReadLine(index, "size"));
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
        }
        return null;
    }

    private static string ReadLine(string folder, string file) => File.ReadAllText(Path.Combine(folder, file)).Trim();

    internal static long? ParseSize(string text)
    {
        long unit = text.EndsWith('K') ? Kibi : text.EndsWith('M') ? Kibi * Kibi : 1;
        return long.TryParse(text.TrimEnd('K', 'M'), NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count > 0 ? count * unit : null;
    }

    private static string ReadProcessorName()
    {
        const string cpuInfo = "/proc/cpuinfo";
        try
        {
            string? line = File.Exists(cpuInfo) ? File.ReadLines(cpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
            if (line is not null)
                return line[(line.IndexOf(':') + 1)..].Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
        }
        return RuntimeInformation.ProcessArchitecture.ToString();
    }
}
