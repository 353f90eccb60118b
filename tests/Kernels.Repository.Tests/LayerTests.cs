using System.Xml.Linq;

namespace Kernels.Repository.Tests;

/// <summary>
/// Who may refer to whom (docs/architecture.md), read from the project files and from the metadata of the base assembly, which no spelling escapes.
/// </summary>
public sealed class LayerTests
{
    // The layers of the base assembly: who may refer to whom.
    private static readonly Dictionary<string, string[]> s_layers = new()
    {
        ["kernels/Core"] = [],
        ["Interop"] = ["kernels/Core"],
        ["kernels/Cpu"] = ["kernels/Core", "Interop"],
        ["Managed"] = ["kernels/Core", "kernels/Cpu", "Interop"],
    };

    private static readonly Dictionary<string, (string[] Projects, string[] Packages)> s_projects = new()
    {
        ["Managed/Kernels.csproj"] = ([], ["CommunityToolkit.HighPerformance"]),
        ["kernels/Gpu/Kernels.Gpu.csproj"] = (["Kernels"], ["ILGPU", "ILGPU.Algorithms"]),
    };

    private static readonly Dictionary<string, SourceRoom> s_rooms = SourceRooms.Read();
    private static readonly Dictionary<string, HashSet<string>> s_references = TypeReferences.Read(typeof(KernelInfo).Assembly.Location);

    public static TheoryData<string> Libraries => new(s_projects.Keys);

    [Theory]
    [MemberData(nameof(Libraries))]
    public void ProjectsReferToLowerLayersOnly(string project)
    {
        XDocument document = XDocument.Parse(Repository.Read(project));
        (string[] projects, string[] packages) = s_projects[project];
        Assert.Equal(projects, document.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!))
            .Order(StringComparer.Ordinal));
        Assert.Equal(packages, document.Descendants("PackageReference").Select(r => (string)r.Attribute("Include")!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EveryTypeOfTheBaseAssemblyHasARoom()
    {
        // Types without a namespace, or in others, are the compiler's own (generated regular expressions, embedded attributes, sizes of constant arrays).
        IEnumerable<string> own = s_references.Keys.Where(name => name.StartsWith("Kernels.", StringComparison.Ordinal));
        AssertNone(own.Where(name => !s_rooms.ContainsKey(name)));
        const int fewest = 400;
        Assert.True(own.Count() > fewest, "the assembly's types were not found");
    }

    [Fact]
    public void LayersReferToLowerLayersOnly() => AssertNone(References()
        .Where(pair => pair.From.Layer != pair.To.Layer && !s_layers[pair.From.Layer].Contains(pair.To.Layer))
        .Select(pair => $"{pair.From.File} refers to {pair.To.File}"));

    [Fact]
    public void FamiliesDoNotSeeEachOther()
    {
        string[] families = [.. FamilyNames()];
        AssertNone(References()
            .Where(pair => pair.From.Room != pair.To.Room && families.Contains(pair.From.Room) && families.Contains(pair.To.Room))
            .Select(pair => $"{pair.From.File} refers to {pair.To.File}"));
    }

    private static void AssertNone(IEnumerable<string> faults) =>
        Assert.Equal("", string.Join(Environment.NewLine, faults.Distinct().Order(StringComparer.Ordinal)));

    private static IEnumerable<(SourceRoom From, SourceRoom To)> References() =>
        from type in s_references
        where s_rooms.ContainsKey(type.Key)
        from other in type.Value
        where s_rooms.ContainsKey(other)
        select (s_rooms[type.Key], s_rooms[other]);

    // Registers are the leaves' affair: what they are made of, micro-kernels over them, and the tables that say which widths there are.
    private static readonly string[] s_leaves =
    [
        "kernels/Core/Machine/InstructionSets.cs", "kernels/Core/Machine/MachineInfo.cs", "kernels/Core/SpGemm/Crc32Simd.cs", "kernels/Cpu/Simd/",
            "kernels/Cpu/Elements/", "CpuVariants.cs",
        "kernels/Cpu/Int8Decomposition/Int8Dot", "kernels/Cpu/Int8Decomposition/Int8Kernels.cs", "kernels/Cpu/Int8Decomposition/Int8OutlierProduct.cs",
        "kernels/Cpu/Int8Decomposition/Int8Outputs.cs", "kernels/Cpu/Int8Decomposition/RowQuantizer.cs", "kernels/Cpu/MixedPrecisionGemm/GemmSimd",
            "kernels/Cpu/MixedPrecisionGemm/GemmDot",
        "kernels/Cpu/MixedPrecisionGemm/GemmKernels", "kernels/Cpu/MixedPrecisionGemm/ActivationRounding.cs", "kernels/Cpu/SparseAttention/AttentionKernels",
            "kernels/Cpu/SparseAttention/NibbleDot",
        "kernels/Cpu/SparseAttention/KeyValueFormats.cs", "kernels/Cpu/SpGemm/ColumnSort.cs", "kernels/Cpu/SpGemm/Slots.cs",
            "kernels/Cpu/TensorBleu/NgramRuns.cs",
    ];

    // Jobs and Core that still hold a loop over vectors of their own. None is added.
    private static readonly string[] s_loopsOutsideLeaves =
    [
        "kernels/Core/Int8Decomposition/Int8WeightsJobs.cs",
        "kernels/Core/MixedPrecisionGemm/GroupQuantizer.cs",
        "kernels/Cpu/Int8Decomposition/Int8GradientJob.cs",
        "kernels/Cpu/MixedPrecisionGemm/GemmPanelJob.cs",
    ];

    [Fact]
    public void RegistersAreNamedInLeavesAlone()
    {
        string[] found = [.. s_references
            .Where(type => s_rooms.ContainsKey(type.Key) && type.Value.Any(name => name.StartsWith("System.Runtime.Intrinsics.", StringComparison.Ordinal)))
            .Select(type => s_rooms[type.Key].File)
            .Where(file => !s_leaves.Any(leaf => file.Contains(leaf, StringComparison.Ordinal)))
            .Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(s_loopsOutsideLeaves.Order(StringComparer.Ordinal), found);
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
