using BenchmarkDotNet.Attributes;
using Kernels.Core.Elements;

namespace Kernels.Perf;

/// <summary>One float variant on one shape and one thread, for BenchmarkDotNet.</summary>
[MemoryDiagnoser]
public class SoftmaxBench
{
    private SoftmaxBuffers<float>? _buffers;

    /// <summary>The float variants that this machine can run.</summary>
    public static IEnumerable<string> Identities => KernelInfo.Catalogue
        .First(dispatch => dispatch.Chosen.Family == SoftmaxContenders.Family && dispatch.Chosen.Types == TypeName.Of<float>())
        .Variants.Where(variant => variant.Availability == VariantAvailability.Available).Select(variant => variant.Identity);

    /// <summary>Rows and row length.</summary>
    public static IEnumerable<string> Shapes => ["128x1000", "4096x512", "1x16777216"];

    [ParamsSource(nameof(Identities))]
    public string Identity { get; set; } = "";

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        int[] sizes = [.. Shape.Split('x').Select(int.Parse)];
        _buffers = new SoftmaxBuffers<float>(new SoftmaxCase(Shape, sizes[0], sizes[1]), []);
        SoftmaxContenders.Call(_buffers, 0, Identity, threads: 1);
        using var oracle = new SoftmaxOracle<float>(_buffers.Case, _buffers.Input(0));
        double error = oracle.LargestError(_buffers.Output(0));
        if (!(error <= SoftmaxContenders.SingleTolerance))
            throw new InvalidOperationException($"{Identity} is off by {error} on {Shape}");
    }

    [Benchmark]
    public void Compute() => SoftmaxContenders.Call(_buffers!, 0, Identity, threads: 1);

    [GlobalCleanup]
    public void Cleanup() => _buffers!.Dispose();
}
