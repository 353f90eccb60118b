using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Kernels.Repository.Tests;

/// <summary>Who may refer to whom (docs/architecture.md), read from the project files and the sources.</summary>
public sealed class LayerTests
{
    private static readonly Dictionary<string, (string[] Projects, string[] Packages)> s_allowed = new()
    {
        ["kernels/Core/Kernels.Core.csproj"] = ([], ["CommunityToolkit.HighPerformance"]),
        ["kernels/Cpu/Kernels.Cpu.csproj"] = (["Kernels.Core"], []),
        ["kernels/Gpu/Kernels.Gpu.csproj"] = (["Kernels.Core"], ["ILGPU", "ILGPU.Algorithms"]),
        ["Interop/Kernels.Interop.csproj"] = (["Kernels.Core"], []),
        ["Managed/Kernels.csproj"] = (["Kernels.Core", "Kernels.Cpu", "Kernels.Interop"], []),
    };

    public static TheoryData<string> Libraries => new(s_allowed.Keys);

    [Theory]
    [MemberData(nameof(Libraries))]
    public void ProjectsReferToLowerLayersOnly(string project)
    {
        XDocument document = XDocument.Parse(Repository.Read(project));
        (string[] projects, string[] packages) = s_allowed[project];
        Assert.Equal(projects, document.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!)).Order(StringComparer.Ordinal));
        Assert.Equal(packages, document.Descendants("PackageReference").Select(r => (string)r.Attribute("Include")!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void IntrinsicsOfOneInstructionSetLiveInLeaves()
    {
        // Drivers know no instruction set: X86 and Arm intrinsics stand in Simd/, in the tables of variants, which ask what is supported, and in micro-kernels.
        string[] leaves = ["Simd", "Dot", "Machine", "Variants", "Kernels."];
        foreach (string file in Repository.Files("kernels", "*.cs").Concat(Repository.Files("Managed", "*.cs")).Concat(Repository.Files("Interop", "*.cs")))
        {
            if (Regex.IsMatch(File.ReadAllText(file), @"^using System\.Runtime\.Intrinsics\.(X86|Arm);", RegexOptions.Multiline))
                Assert.Contains(leaves, leaf => Path.GetRelativePath(Repository.Root, file).Contains(leaf, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void FamiliesDoNotSeeEachOther()
    {
        string[] families = [.. Directory.GetDirectories(Path.Combine(Repository.Root, "docs/families")).Concat(FamilyNames())];
        foreach (string layer in new[] { "kernels/Core", "kernels/Cpu", "kernels/Gpu", "Interop" })
        {
            foreach (string family in families.Where(f => Directory.Exists(Path.Combine(Repository.Root, layer, f))))
            {
                foreach (string file in Repository.Files($"{layer}/{family}", "*.cs"))
                {
                    string text = Regex.Replace(File.ReadAllText(file), @"//.*", "");
                    foreach (string other in families.Where(f => f != family))
                        Assert.False(Regex.IsMatch(text, $@"\b{other}\w*"), $"{Path.GetRelativePath(Repository.Root, file)} mentions {other}");
                }
            }
        }
    }

    // docs/families/<snake_case>.md names the families: one word each, in its mechanical PascalCase.
    private static IEnumerable<string> FamilyNames() => Directory.GetFiles(Path.Combine(Repository.Root, "docs/families"), "*.md")
        .Select(file => string.Concat(Path.GetFileNameWithoutExtension(file).Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])));

    [Fact]
    public void EveryFamilyHasTheSameRooms()
    {
        string[] rooms = ["kernels/Core", "kernels/Cpu", "Managed", "tests/Kernels.Tests", "perf/Kernels.Perf"];
        string[] families = [.. FamilyNames()];
        Assert.NotEmpty(families);
        foreach (string family in families)
        {
            Assert.All(rooms, room => Assert.True(Directory.Exists(Path.Combine(Repository.Root, room, family)), $"{family} has no room in {room}"));
            string test = Path.Combine(Repository.Root, "tests/Kernels.Tests", family);
            Assert.True(File.Exists(Path.Combine(test, family + "Oracle.cs")), $"{family} has no oracle");
            Assert.True(File.Exists(Path.Combine(Repository.Root, "kernels/Cpu", family, family + "CpuVariants.cs")), $"{family} has no table of variants");
        }
    }

    [Fact]
    public void NoFileIsTooLongToRead()
    {
        const int limit = 450;
        string[] folders = ["kernels", "Managed", "Interop", "tests", "perf", "samples", "native"];
        foreach (string file in folders.SelectMany(folder => new[] { "*.cs", "*.cpp", "*.h" }.SelectMany(pattern => Repository.Files(folder, pattern))))
            Assert.True(File.ReadLines(file).Count() <= limit, $"{Path.GetRelativePath(Repository.Root, file)} is longer than {limit} lines");
    }
}
