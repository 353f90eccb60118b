using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>A sequence in memory, with the states by the book and everything that can compute them.</summary>
internal sealed class RnnWorkload : IWorkload
{
    // Newton's promise in float, and the rounding of the sequential solver.
    private const double OwnTolerance = 1e-6;

    private readonly float[] _states, _expected, _byGates, _byWeights, _ones;

    public RnnWorkload(RnnBenchCase benchCase, IReadOnlyList<int> threadCounts, TorchRnn? torch)
    {
        Case = benchCase;
        Gates = benchCase.Gates();
        Weights = benchCase.Weights();
        _states = new float[benchCase.Shape.Elements(1)];
        _expected = benchCase.StatesByTheBook(Gates, Weights, benchCase.Steps);
        _byGates = benchCase.WithGradients ? new float[Gates.Length] : [];
        _byWeights = new float[Weights.Length];
        _ones = new float[benchCase.WithGradients ? _states.Length : 0];
        Array.Fill(_ones, 1);
        RnnSolver[] solvers = benchCase.WithGradients ? [RnnSolver.Auto] : Enum.GetValues<RnnSolver>();
        Contenders =
        [
            .. from threads in threadCounts from solver in solvers select new SolverContender(this, solver, threads),
            .. torch?.Open(this) ?? [],
        ];
    }

    public RnnBenchCase Case { get; }

    public float[] Gates { get; }

    public float[] Weights { get; }

    public IReadOnlyList<IContender> Contenders { get; }

    // Channel steps, counted in thousandths: a thousand millionth of that each second is a step each microsecond.
    public double WorkPerCall => 1000.0 * Case.Steps * Case.Channels;

    public string Unit => "steps/us";

    public IReadOnlyList<RoofKind> Roofs => [RoofKind.MultiplyAdd];

    public RecordedComparison? Recorded => null;

    public double RoofSeconds(RoofSamples roofs, int threads) => (double)Case.Steps * Case.Channels / (TranscendentalRoof.PerSecond * threads);

    public double LargestError(ReadOnlySpan<float> states)
    {
        double largest = 0;
        for (int i = 0; i < states.Length; i++)
        {
            double error = Math.Abs((double)states[i] - _expected[i]);
            largest = double.IsNaN(error) ? double.NaN : Math.Max(largest, error);
        }
        return largest;
    }

    public void Dispose()
    {
        foreach (IContender contender in Contenders)
            contender.Dispose();
    }

    private SolveReport Solve(RnnSolver solver, int threads)
    {
        var kernel = new KernelOptions { MaxDegreeOfParallelism = threads };
        SolveReport report = ParaRnn.Forward<ParaGru, float>(Gates, Weights, _states, Case.Shape, new() { Solver = solver, Kernel = kernel });
        if (Case.WithGradients)
            ParaRnn.Backward<ParaGru, float>(Gates, Weights, _states, _ones, _byGates, _byWeights, Case.Shape, new() { Kernel = kernel });
        return report;
    }

    /// <summary>One of our solvers; its name says what it reported.</summary>
    private sealed class SolverContender(RnnWorkload workload, RnnSolver solver, int threads) : IContender
    {
        private static readonly string s_variant = KernelInfo.Catalogue.First(d => d.Chosen.Family == ParaRnnFamily.Word
            && d.Chosen.Types == "f32").Chosen.Identity;

        public string Identity { get; private set; } = $"{s_variant} {solver}";

        public int Threads => threads;

        public bool IsDefault => solver == RnnSolver.Auto;

        public double Tolerance => OwnTolerance;

        public double Time(int calls)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            for (int call = 0; call < calls; call++)
                workload.Solve(solver, threads);
            return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        public double LargestError()
        {
            SolveReport report = workload.Solve(solver, threads);
            double error = workload.LargestError(workload._states);
            Identity = string.Create(CultureInfo.InvariantCulture, $"{s_variant} {solver}{Details(report)}");
            return error;
        }

        private string Details(in SolveReport report) => solver switch
        {
            RnnSolver.Newton => string.Create(CultureInfo.InvariantCulture,
                $" ({report.Iterations} iterations, residual {report.Residual:0e0}{(report.Converged ? "" : ", not converged")})"),
            RnnSolver.MultipleShooting => $" ({report.Sweeps} sweeps, {(BitsAreSequential() ? "bits of Sequential" : "OTHER BITS")})",
            RnnSolver.Auto => $" ({report.Solver})",
            _ => "",
        };

        private bool BitsAreSequential()
        {
            float[] shooting = [.. workload._states];
            workload.Solve(RnnSolver.Sequential, 1);
            return MemoryMarshal.AsBytes<float>(shooting).SequenceEqual(MemoryMarshal.AsBytes<float>(workload._states));
        }

        public void Dispose()
        {
        }
    }
}
