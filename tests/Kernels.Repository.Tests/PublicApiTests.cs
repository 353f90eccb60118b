using System.Reflection;
using PublicApiGenerator;

namespace Kernels.Repository.Tests;

/// <summary>
/// The public surface of each package against its approved form, as PublicApiGenerator prints it (constraints, <c>in</c> and <c>ref</c>, nullability and
/// default values included): a change shows up in review as a change of one text file.
/// </summary>
public sealed class PublicApiTests
{
    private static readonly ApiGeneratorOptions s_options = new() { IncludeAssemblyAttributes = false };

    public static TheoryData<string> Packages => ["Kernels", "Kernels.Gpu"];

    [SkippableTheory]
    [MemberData(nameof(Packages))]
    public void IsTheApprovedOne(string package)
    {
        Assembly assembly = Assembly.Load(package);
        Skip.If(package == "Kernels.Gpu" && assembly.GetExportedTypes().Length == 0, "the GPU backend was left out of this build");
        string approved = $"tests/Kernels.Repository.Tests/{package}.approved.txt", received = $"artifacts/{package}.received.txt";
        string surface = assembly.GeneratePublicApi(s_options).ReplaceLineEndings("\n");
        if (File.Exists(Path.Combine(Repository.Root, approved)) && surface == Repository.Read(approved).ReplaceLineEndings("\n"))
            return;
        string path = Path.Combine(Repository.Root, received);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, surface);
        Assert.Fail($"The public surface is not the approved one. If it is meant, copy {received} to {approved}.");
    }

    [Fact]
    public void BackendsHaveNoPublicTypes() => Assert.Equal([], typeof(KernelInfo).Assembly.GetExportedTypes()
        .Select(type => type.FullName!.Split('`')[0])
        .Where(name => name.StartsWith("Kernels.Cpu.", StringComparison.Ordinal) || name.StartsWith("Kernels.Native.", StringComparison.Ordinal)));
}
