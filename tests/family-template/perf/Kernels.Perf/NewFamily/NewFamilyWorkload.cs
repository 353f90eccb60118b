namespace Kernels.Perf;

/// <summary>Rows in memory, with the results by the book and everything that can compute them.</summary>
internal sealed class NewFamilyWorkload : IWorkload
{
    private readonly NativeBuffer<float> _input, _output;
    private readonly int _width;

    public NewFamilyWorkload(int rows, int width, IReadOnlyList<int> threadCounts)
    {
        _width = width;
        _input = new NativeBuffer<float>(rows * width);
        _output = new NativeBuffer<float>(rows * width);
        LogitGenerator.Fill(_input.Span, seed: 1);
        IEnumerable<KernelVariant> variants = KernelInfo.Catalogue.Single(known => known.Chosen.Family == NewFamilyFamily.Word).Variants;
        Contenders =
        [
            .. from variant in variants where variant.Availability == VariantAvailability.Available from threads in threadCounts
                select new CallContender(variant.Identity, threads, 1, tolerance: 0, _ => Run(variant, threads), LargestError),
        ];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    /// <summary>Bytes: each element is read and written.</summary>
    public double WorkPerCall => 2.0 * sizeof(float) * _input.Length;

    public string Unit => "GB/s";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.Copy];

    public RecordedComparison? Recorded => null;

    public double RoofSeconds(RoofSamples roofs, int threads) => WorkPerCall / roofs.PerSecond(RoofKind.Copy, threads);

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
    }

    private void Run(KernelVariant variant, int threads) =>
        NewFamily.Compute(_input.Span, _output.Span, _width, new() { Kernel = new() { Variant = variant.Identity, MaxDegreeOfParallelism = threads } });

    // NaN fails the check, until the family's definition stands here, in double.
    private double LargestError() => double.NaN;
}
