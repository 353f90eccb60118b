using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Tests;

/// <summary>
/// The bits of every variant over its seeded problems, against a file: a change that moves no arithmetic moves no bit. Where a change is meant to, its commit
/// says so and replaces the lines. Threads 1, 2 and 3 take turns, so the file holds that results do not depend on them as well.
/// </summary>
public sealed class ResultHashTests
{
    private const string File = "result-hashes.txt";
    private const int ProblemCount = 60;

    public static TheoryData<string> Identities =>
        [.. KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants).Select(variant => variant.Identity).Distinct()];

    [SkippableTheory]
    [MemberData(nameof(Identities))]
    public void BitsAreThoseOfTheFile(string identity)
    {
        KernelVariant variant = KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants).First(v => v.Identity == identity);
        Skip.If(variant.Availability == VariantAvailability.Absent, $"{identity}: {variant.Reason}");
        Skip.If(
            variant.Availability == VariantAvailability.Emulated && !Vector128.IsHardwareAccelerated,
            $"{identity}: without SIMD of any width, software vectors take minutes; the runs with SIMD emulate it");
        Skip.If(!Fma.IsSupported && RoundsByMachine(variant),
            $"{identity}: rounds multiply-adds twice where the machine cannot fuse them; the file is of machines that can");
        using var results = new ResultHash();
        for (int seed = 1; seed <= ProblemCount; seed++)
        {
            var kernel = new KernelOptions { Variant = identity, MaxDegreeOfParallelism = 1 + seed % 3, AllowEmulation = true };
            SeededProblems.Of(variant.Family)(variant, new ProblemDraw(seed), kernel, results);
        }
        string line = $"{identity} {results}";
        Assert.True(Lines.Contains(line), $"The bits differ from those of {File}, or it has no line yet. If that is meant, its line is: {line}");
    }

    // MultiplyAddEstimate (products of both quantised families, whose native variants take their float parts from managed code) and double in registers of 128
    // bits.
    private static bool RoundsByMachine(KernelVariant variant) =>
        variant.Family is "mixed_precision_gemm" or "int8_decomposition" || (variant.Types == "f64" && variant.Implementation is "sse42" or "advsimd");

    private static HashSet<string> Lines { get; } = Read();

    private static HashSet<string> Read()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(File)!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
