using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;

namespace Kernels.Perf;

/// <summary>
/// This program as it was at another commit, built in a folder of its own and loaded beside this one, with its own libraries: so both are timed in turn by one
/// clock, in one process. Known by name are <c>Families.All</c>, <c>IFamilyBench</c>, <c>WorkloadPlan</c>, <c>IWorkload</c> and <c>IContender</c>.
/// </summary>
internal sealed class OtherBuild
{
    private const string Project = "perf/Kernels.Perf", Configuration = "Release";

    private readonly Assembly _program;

    private OtherBuild(Assembly program, string commit) => (_program, Commit) = (program, commit);

    /// <summary>The commit's full name.</summary>
    public string Commit { get; }

    /// <summary>Builds a commit of the repository, which takes minutes the first time, and loads it.</summary>
    /// <exception cref="InvalidOperationException">There is no such commit, or it does not build; the message holds what git or the build said.</exception>
    public static OtherBuild Of(string repository, string commit)
    {
        string name = Run(repository, "git", "rev-parse", "--verify", $"{commit}^{{commit}}").Trim();
        string folder = Path.Combine(Path.GetTempPath(), $"kernels-{name}"), output = Path.Combine(folder, "against");
        string library = Path.Combine(output, "Kernels.Perf.dll");
        if (!Directory.Exists(folder))
        {
            // A copy that shares the objects: nothing is written into the repository.
            Run(repository, "git", "clone", "--quiet", "--shared", "--no-checkout", repository, folder);
            Run(folder, "git", "checkout", "--quiet", name);
        }
        if (!File.Exists(library))
            Run(folder, "dotnet", "build", Project, "-c", Configuration, "-o", output, "--nologo", "-v", "q");
        return new OtherBuild(new Context(library).LoadFromAssemblyPath(library), name);
    }

    /// <summary>That build's workloads of a family, by name.</summary>
    public IEnumerable<OtherPlan> Compare(string family, IReadOnlyList<int> threadCounts, bool quick)
    {
        var all = (IEnumerable<object>)Type("Families").GetProperty("All")!.GetValue(null)!;
        Type bench = Type("IFamilyBench");
        object? own = all.FirstOrDefault(one => family.Equals(bench.GetProperty("Family")!.GetValue(one)));
        if (own is null)
            yield break;
        var plans = (IEnumerable<object>)bench.GetMethod("Compare")!.Invoke(own, [threadCounts, quick])!;
        foreach (object plan in plans)
            yield return new OtherPlan((string)plan.GetType().GetProperty("Name")!.GetValue(plan)!, () => Open(plan));
    }

    private OtherWorkload Open(object plan)
    {
        var open = (Delegate)plan.GetType().GetProperty("Open")!.GetValue(plan)!;
        object workload = open.DynamicInvoke()!;
        var contenders = (IEnumerable<object>)Type("IWorkload").GetProperty("Contenders")!.GetValue(workload)!;
        return new OtherWorkload((IDisposable)workload, [.. contenders.Select(contender => new OtherContender(contender, Type("IContender")))]);
    }

    private Type Type(string name) =>
        _program.GetType($"Kernels.Perf.{name}") ?? throw new InvalidOperationException($"{Commit}: its Kernels.Perf has no {name}");

    private static string Run(string folder, string program, params string[] arguments)
    {
        // Both streams of the build together may fill a pipe; errors of a build stand on the first.
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? said
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}\n{said}");
    }

    // Everything that lies beside the program is its own; the framework is shared.
    private sealed class Context(string program) : AssemblyLoadContext(program)
    {
        private readonly AssemblyDependencyResolver _resolver = new(program);

        protected override Assembly? Load(AssemblyName name) => _resolver.ResolveAssemblyToPath(name) is { } path ? LoadFromAssemblyPath(path) : null;

        protected override nint LoadUnmanagedDll(string name) => _resolver.ResolveUnmanagedDllToPath(name) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
    }
}

/// <summary>A workload of another build that is not in memory yet.</summary>
internal sealed record OtherPlan(string Name, Func<OtherWorkload> Open);

/// <summary>A workload of another build.</summary>
internal sealed class OtherWorkload(IDisposable workload, IReadOnlyList<IContender> contenders) : IDisposable
{
    public IReadOnlyList<IContender> Contenders => contenders;

    public void Dispose() => workload.Dispose();
}

/// <summary>A contender of another build, whose workload owns it.</summary>
internal sealed class OtherContender(object contender, Type type) : IContender
{
    private readonly Func<int, double> _time = (Func<int, double>)Delegate.CreateDelegate(typeof(Func<int, double>), contender,
        type.GetMethod(nameof(IContender.Time))!);

    public string Identity => (string)type.GetProperty(nameof(IContender.Identity))!.GetValue(contender)!;

    public int Threads => (int)type.GetProperty(nameof(IContender.Threads))!.GetValue(contender)!;

    public bool IsDefault => (bool)type.GetProperty(nameof(IContender.IsDefault))!.GetValue(contender)!;

    public double Tolerance => (double)type.GetProperty(nameof(IContender.Tolerance))!.GetValue(contender)!;

    public double LargestError() => (double)type.GetMethod(nameof(IContender.LargestError))!.Invoke(contender, [])!;

    public double Time(int calls) => _time(calls);

    public void Dispose()
    {
    }
}
