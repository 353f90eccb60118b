namespace Kernels.Tests;

/// <summary>Cells, exact solvers, directions, lengths, gradients and scans.</summary>
internal static class ParaRnnProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        if (variant.Types == "f32")
            Run<float>(draw, kernel, results);
        else
            Run<double>(draw, kernel, results);
    }

    private static void Run<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        var shape = new RnnShape(draw.Between(1, 3), draw.Length(200), draw.Pick(1, 3, 4, 8, 15, 16, 17, 33),
            draw.Pick(RnnOrder.TimeMajor, RnnOrder.BatchMajor));
        switch (draw.Between(0, 2))
        {
            case 0: Cell<ParaGru, T>(shape, draw, kernel, results); break;
            case 1: Cell<ParaLstm, T>(shape, draw, kernel, results); break;
            default: Scan<T>(shape, draw, kernel, results); break;
        }
    }

    private static void Cell<TCell, T>(RnnShape shape, ProblemDraw draw, KernelOptions kernel, ResultHash results) where TCell : struct, IDifferentiableRnnCell
        where T : unmanaged
    {
        T[] gates = draw.Normals<T>((int)shape.Elements(TCell.GateCount), 1), weights = draw.Normals<T>(shape.ChannelCount * TCell.WeightCount, 0.5);
        T[] states = new T[shape.Elements(TCell.StateCount)], byGates = new T[gates.Length], byWeights = new T[weights.Length];
        RnnDirection direction = draw.Pick(RnnDirection.Forward, RnnDirection.Reverse);
        int[]? lengths = draw.Chance(0.5) ? draw.Integers<int>(shape.SequenceCount, 0, shape.StepCount) : null;
        ParaRnn.Forward<TCell, T>(gates, weights, states, shape, new()
        {
            Kernel = kernel,
            Direction = direction,
            Lengths = lengths,
            Solver = draw.Pick(RnnSolver.Sequential, RnnSolver.MultipleShooting),
        });
        results.Add<T>(states);
        ParaRnn.Backward<TCell, T>(gates, weights, states, states, byGates, byWeights, shape,
            new() { Kernel = kernel, Direction = direction, Lengths = lengths });
        results.Add<T>(byGates);
        results.Add<T>(byWeights);
    }

    private static void Scan<T>(RnnShape shape, ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        int block = draw.Between(1, 3);
        T[] matrices = draw.Normals<T>((int)shape.Elements(block * block), 0.5), offsets = draw.Normals<T>((int)shape.Elements(block), 1),
            states = new T[offsets.Length];
        AffineScan.Compute<T>(matrices, offsets, states, shape, block, new() { Kernel = kernel });
        results.Add<T>(states);
    }
}
