using System.Globalization;
using Kernels.Core.Machine;

namespace Kernels.Tests;

/// <summary>Memory in huge pages: asked for where they are, usable everywhere.</summary>
public sealed unsafe class LargeMemoryTests
{
    [Theory]
    [InlineData(1, 64)]
    [InlineData(LargeMemory.HugePageBytes - 1, 64)]
    [InlineData(LargeMemory.HugePageBytes, LargeMemory.HugePageBytes)]
    [InlineData(3 * LargeMemory.HugePageBytes + 5, LargeMemory.HugePageBytes)]
    public void IsAlignedAndHoldsWhatIsWritten(int bytes, int alignment)
    {
        byte* memory = LargeMemory.Allocate(bytes);
        Assert.Equal(0, (nint)memory % alignment);
        var all = new Span<byte>(memory, bytes);
        all.Fill(42);
        Assert.False(all.ContainsAnyExcept((byte)42));
        LargeMemory.Free(memory, bytes);
    }

    [SkippableFact]
    public void AsksLinuxForHugePages()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Directory.Exists("/sys/kernel/mm/transparent_hugepage"), "no Linux kernel with transparent huge pages");
        const int bytes = 4 * LargeMemory.HugePageBytes;
        byte* memory = LargeMemory.Allocate(bytes);
        memory[0] = 1;
        Assert.Contains("hg", FlagsOfMapping((long)memory).Split(' '));
        LargeMemory.Free(memory, bytes);
    }

    // /proc/self/smaps: a line "start-end ..." for each mapping, in hexadecimal, and among those that follow it "VmFlags: ..." with hg where huge pages were
    // advised.
    internal static string FlagsOfMapping(long address)
    {
        bool within = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] range = line.Split(' ')[0].Split('-');
            if (range.Length == 2 && TryParse(range[0], out long start) && TryParse(range[1], out long end))
                within = start <= address && address < end;
            else if (within && line.StartsWith("VmFlags:", StringComparison.Ordinal))
                return line;
        }
        return "";
    }

    private static bool TryParse(string text, out long value) => long.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out value);
}
