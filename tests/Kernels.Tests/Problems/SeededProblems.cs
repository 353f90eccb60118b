using System.Reflection;

namespace Kernels.Tests;

/// <summary>
/// Seeded problems of every family: shapes at tile edges, types, options, special values. A seed and a variant make the same problem and the same bits
/// everywhere; sizes stay below what a cache's size decides. Those of <c>sparse_attention</c> are <c>SparseAttentionProblems.Run</c>, and so on.
/// </summary>
internal static class SeededProblems
{
    /// <summary>Runs the problem of a seed with a variant and adds its results to the hash.</summary>
    public delegate void Runner(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results);

    public static Runner Of(string family)
    {
        string name = string.Concat(family.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])) + "Problems";
        MethodInfo? run = typeof(SeededProblems).Assembly.GetType($"{typeof(SeededProblems).Namespace}.{name}")?.GetMethod("Run");
        return run?.CreateDelegate<Runner>() ?? throw new MissingMethodException($"the family {family} has no seeded problems: {name}.Run");
    }
}
