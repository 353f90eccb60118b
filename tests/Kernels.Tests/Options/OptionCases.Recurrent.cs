namespace Kernels.Tests;

/// <summary>Recurrences, their gradients and affine scans.</summary>
internal static partial class OptionCases
{
    // One sequence of 64 steps of one channel; batch and channel mates are tested elsewhere.
    private static readonly RnnShape s_steps = new(1, 64, 1);

    public static IEnumerable<OptionCase> Recurrent() =>
    [
        OptionCase.Of<RnnSolver>("RnnOptions.Solver", value => Run(new() { Solver = value }), (RnnSolver.Sequential, RnnSolver.Newton),
            Enum.GetValues<RnnSolver>(), [(RnnSolver)(-1), RnnSolver.MultipleShooting + 1]),
        OptionCase.Of<RnnDirection>("RnnOptions.Direction", value => Run(new() { Direction = value }), (RnnDirection.Forward, RnnDirection.Reverse),
            Enum.GetValues<RnnDirection>(), [(RnnDirection)(-1), RnnDirection.Reverse + 1]),
        OptionCase.Of<float[]>("RnnOptions.InitialState", state => Run(new() { InitialState = state }), ([], [0.5f, 0.5f]), [[], new float[2]],
            [new float[1], new float[3]]),
        OptionCase.Of<int[]>("RnnOptions.Lengths", lengths => Run(new() { Lengths = lengths }), ([], [3]), [[], [0], [64]], [[-1], [65], [1, 1]]),
        OptionCase.Of<bool[]>("RnnOptions.Resets", resets => Run(new() { Resets = resets }), ([], ResetAt(9)), [[], new bool[64]],
            [new bool[1], new bool[63], new bool[65]]),
        OptionCase.Of<float[]>("RnnOptions.FinalState", state => Written(state, Run(new() { FinalState = state })), ([], OptionCase.NaNs(2)),
            [[], OptionCase.NaNs(2)], [new float[1]]),
        OptionCase.Of<int?>("RnnOptions.MaxIterations", value => Run(new() { Solver = RnnSolver.Newton, MaxIterations = value }), (null, 1),
            [null, 1, int.MaxValue], [0, -1]),
        OptionCase.Of<double?>("RnnOptions.Tolerance", value => Run(new() { Solver = RnnSolver.Newton, Tolerance = value }), (null, 0.5),
            [null, double.Epsilon, double.MaxValue], [0, -1, .. s_notFinite]),
        OptionCase.Of<double?>("RnnOptions.Damping", value => Run(new() { Solver = RnnSolver.Newton, Damping = value }), (null, 0.5), [null, double.Epsilon, 1],
            [0, -1, Math.BitIncrement(1), .. s_notFinite]),
        OptionCase.Of<bool>("RnnOptions.DiagonalJacobian", value => Run(new() { Solver = RnnSolver.Newton, DiagonalJacobian = value }), (false, true),
            [false, true], []),
        OptionCase.Of<int?>("RnnOptions.MaxSweeps", value => Run(new() { Solver = RnnSolver.MultipleShooting, SegmentCount = 8, MaxSweeps = value }), (null, 1),
            [null, 1, int.MaxValue], [0, -1]),
        OptionCase.Of<int?>("RnnOptions.SegmentCount", value => Run(new() { Solver = RnnSolver.MultipleShooting, SegmentCount = value }), (1, 8),
            [null, 1, int.MaxValue], [0, -1]),
        OptionCase.Kernel("RnnOptions", kernel => Run(new() { Kernel = kernel })),

        OptionCase.Of<RnnDirection>("RnnGradientOptions.Direction", value => Differentiate(new() { Direction = value }),
            (RnnDirection.Forward, RnnDirection.Reverse), Enum.GetValues<RnnDirection>(), [(RnnDirection)(-1), RnnDirection.Reverse + 1]),
        OptionCase.Of<float[]>("RnnGradientOptions.InitialState", state => Differentiate(new() { InitialState = state }), ([], [0.5f, 0.5f]),
            [[], new float[2]], [new float[1], new float[3]]),
        OptionCase.Of<int[]>("RnnGradientOptions.Lengths", lengths => Differentiate(new() { Lengths = lengths }), ([], [3]), [[], [0], [64]],
            [[-1], [65], [1, 1]]),
        OptionCase.Of<bool[]>("RnnGradientOptions.Resets", resets => Differentiate(new() { Resets = resets }), ([], ResetAt(9)), [[], new bool[64]],
            [new bool[1], new bool[63], new bool[65]]),
        OptionCase.Of<float[]>("RnnGradientOptions.FinalStateGradient", gradient => Differentiate(new() { FinalStateGradient = gradient }), ([], [1, 2]),
            [[], new float[2]], [new float[1], new float[3]]),
        OptionCase.Of<float[]>("RnnGradientOptions.InitialStateGradient", gradient =>
            Written(gradient, Differentiate(new() { InitialStateGradient = gradient })), ([], OptionCase.NaNs(2)), [[], OptionCase.NaNs(2)], [new float[1]]),
        OptionCase.Kernel("RnnGradientOptions", kernel => Differentiate(new() { Kernel = kernel })),

        OptionCase.Of<RnnDirection>("AffineScanOptions.Direction", value => Scan(new() { Direction = value }), (RnnDirection.Forward, RnnDirection.Reverse),
            Enum.GetValues<RnnDirection>(), [(RnnDirection)(-1), RnnDirection.Reverse + 1]),
        OptionCase.Of<float[]>("AffineScanOptions.InitialState", state => Scan(new() { InitialState = state }), ([], [0.5f]), [[], new float[1]],
            [new float[2]]),
        OptionCase.Of<int[]>("AffineScanOptions.Lengths", lengths => Scan(new() { Lengths = lengths }), ([], [3]), [[], [0], [64]], [[-1], [65], [1, 1]]),
        OptionCase.Kernel("AffineScanOptions", kernel => Scan(new() { Kernel = kernel })),
    ];

    private static bool[] ResetAt(int step) => [.. Enumerable.Range(0, 64).Select(i => i == step)];

    private static string Run(RnnOptions<float> options)
    {
        float[] states = new float[64 * ParaLstm.StateCount];
        SolveReport report = ParaRnn.Forward<ParaLstm, float>(Waves(64 * ParaLstm.GateCount, 1), Waves(ParaLstm.WeightCount, 2), states, s_steps, options);
        return $"{OptionCase.Text<float>(states)} / {report}";
    }

    private static string Differentiate(RnnGradientOptions<float> options)
    {
        float[] byGates = new float[64 * ParaLstm.GateCount], byWeights = new float[ParaLstm.WeightCount], states = Waves(64 * ParaLstm.StateCount, 3);
        ParaRnn.Backward<ParaLstm, float>(Waves(byGates.Length, 1), Waves(byWeights.Length, 2), states, Waves(states.Length, 4), byGates, byWeights, s_steps,
            options);
        return $"{OptionCase.Text<float>(byGates)} / {OptionCase.Text<float>(byWeights)}";
    }

    private static string Scan(AffineScanOptions<float> options)
    {
        float[] states = new float[64];
        AffineScan.Compute<float>(Waves(64, 1), Waves(64, 2), states, s_steps, 1, options);
        return OptionCase.Text<float>(states);
    }
}
