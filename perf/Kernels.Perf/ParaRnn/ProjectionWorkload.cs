using Kernels.Nn;

namespace Kernels.Perf;

/// <summary>
/// The input projection of a layer for all its time steps: gates[rows, outputs] = inputs[rows, inputs] W^T + b, with OpenBLAS, which leaves out the bias,
/// beside it.
/// </summary>
internal sealed unsafe class ProjectionWorkload : IWorkload
{
    // A chain of n multiply-adds of numbers near 1 is off by some root of n roundings.
    private const double OwnTolerance = 1e-4;

    private readonly ProjectionCase _case;
    private readonly LinearLayer _layer;
    private readonly NativeBuffer<float> _inputs, _weights, _outputs;
    private readonly double[] _expected;

    public ProjectionWorkload(ProjectionCase projection, IReadOnlyList<int> threadCounts)
    {
        _case = projection;
        _layer = new LinearLayer("projection", projection.InputCount, projection.OutputCount, seed: 1);
        _inputs = new NativeBuffer<float>(projection.RowCount * projection.InputCount);
        _weights = new NativeBuffer<float>(_layer.Weights.Values.Length);
        _outputs = new NativeBuffer<float>(projection.RowCount * projection.OutputCount);
        var random = new Random(2);
        foreach (ref float input in _inputs.Span)
            input = 2 * random.NextSingle() - 1;
        _layer.Weights.Values.CopyTo(_weights.Span);
        _expected = ByTheBook();
        string variant = KernelInfo.Catalogue.First(d => d.Chosen.Family == ParaRnnFamily.Word && d.Chosen.Types == "f32").Chosen.Identity;
        Contenders =
        [
            .. from threads in threadCounts select new CallContender($"{variant} LinearLayer", threads, 1, OwnTolerance, _ =>
                RunOwn(threads), LargestError) { IsDefault = true },
            .. from threads in threadCounts
                where OpenBlas.Status.AbsentReason is null select new CallContender(OpenBlas.Identity, threads, 1, OpenBlas.Tolerance, _ =>
                RunOpenBlas(threads), LargestError),
        ];
    }

    public IReadOnlyList<IContender> Contenders { get; }

    public double WorkPerCall => 2.0 * _case.RowCount * _case.InputCount * _case.OutputCount;

    public string Unit => "GFLOP/s";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.MultiplyAdd];

    public RecordedComparison? Recorded => null;

    public double RoofSeconds(RoofSamples roofs, int threads) => WorkPerCall / roofs.PerSecond(RoofKind.MultiplyAdd, threads);

    public void Dispose()
    {
        _inputs.Dispose();
        _weights.Dispose();
        _outputs.Dispose();
    }

    private void RunOwn(int threads) => _layer.Forward(_inputs.Span, _outputs.Span, new() { MaxDegreeOfParallelism = threads });

    private void RunOpenBlas(int threads) =>
        OpenBlas.Multiply(_inputs.Pointer, _weights.Pointer, _outputs.Pointer, _case.RowCount, _case.OutputCount, _case.InputCount, threads);

    private double[] ByTheBook()
    {
        var expected = new double[_case.RowCount * _case.OutputCount];
        for (int i = 0; i < expected.Length; i++)
        {
            long input = (long)(i / _case.OutputCount) * _case.InputCount, weight = (long)(i % _case.OutputCount) * _case.InputCount;
            for (int k = 0; k < _case.InputCount; k++)
                expected[i] += (double)_inputs.Pointer[input + k] * _weights.Pointer[weight + k];
        }
        return expected;
    }

    // The biases of a new layer are zeros.
    private double LargestError()
    {
        double largest = 0;
        for (int i = 0; i < _expected.Length; i++)
        {
            double error = Math.Abs(_outputs.Pointer[i] - _expected[i]);
            largest = double.IsNaN(error) ? double.NaN : Math.Max(largest, error);
        }
        return largest;
    }
}

/// <summary>Rows, sequences times steps, of an input projection.</summary>
internal sealed record ProjectionCase(int RowCount, int InputCount, int OutputCount)
{
    public string Name => $"projection of {RowCount} rows, {InputCount} to {OutputCount}";
}
