using Kernels.Core.ParaRnn;
using Kernels.Core.Primitives;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>The driver: cuts sequences into runs, chooses the solver, adds up what threads did. Knows no instruction set.</summary>
internal sealed unsafe class ParaRnnCpu<TSimd, V, T> : IParaRnnBackend<T>
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    public SolveReport Forward<TCell>(in RnnArrays<T> arrays, in RnnSolverSettings settings, in KernelOptions options)
        where TCell : struct, IDifferentiableRnnCell
    {
        RnnStrides strides = RnnStrides.Of(arrays.Shape, arrays.Direction, TCell.GateCount, TCell.StateCount);
        if (arrays.Shape.Elements(1) == 0)
        {
            RnnRuns.WriteFinalStates(arrays, TCell.StateCount);
            return settings.Solver == RnnSolver.Auto
                ? new SolveReport(RnnSolver.Sequential, RnnSolverChoice.Nothing, Converged: true)
                : new SolveReport(settings.Solver, RnnSolverChoice.AskedFor, Converged: true);
        }
        int threads = settings.Solver == RnnSolver.Auto ? ThreadPolicy.Threads(options) : RnnTuning.ThreadCount(arrays.Shape.Elements(1), options);
        using var zeroMemory = RentedScratch.Of(TCell.StateCount * strides.Channels, out T* zeros);
        using var runMemory = RentedScratch.Of(RnnRuns.Capacity(arrays), out RnnRun<T>* runs);
        new Span<T>(zeros, TCell.StateCount * strides.Channels).Clear();
        int runCount = RnnRuns.Cut(arrays, strides, TCell.StateCount, zeros, runs);
        SolveReport report = Solve<TCell>(arrays, strides, runs, runCount, settings, threads, options.CancellationToken);
        RnnRuns.ClearPadding(arrays, arrays.States, TCell.StateCount);
        RnnRuns.WriteFinalStates(arrays, TCell.StateCount);
        return report;
    }

    private static SolveReport Solve<TCell>(
        in RnnArrays<T> arrays, in RnnStrides strides, RnnRun<T>* runs, int runCount, in RnnSolverSettings settings, int threads,
        CancellationToken cancellation)
        where TCell : struct, IDifferentiableRnnCell
    {
        T* weights = arrays.Weights;
        bool isBeyondCache = arrays.Shape.Elements(TCell.GateCount + TCell.StateCount) * sizeof(T) > MachineInfo.Current.Level3Bytes / 2;
        RnnSolverChoice choice = settings.Solver == RnnSolver.Auto
            ? RnnSolverChoice.Of(new(runCount, RnnRuns.MeanSteps(runs, runCount), strides.Channels, TSimd.Count, isBeyondCache), threads)
            : new(settings.Solver, threads, RnnSolverChoice.AskedFor);
        if (choice.Solver == RnnSolver.MultipleShooting)
            return RnnShooting<TCell, TSimd, V, T>.Run(runs, runCount, weights, strides, settings, choice.Reason, choice.Threads, cancellation);
        if (choice.Solver == RnnSolver.Newton)
            return RnnNewton<TCell, TSimd, V, T>.Run(runs, runCount, weights, strides, settings, choice.Reason, choice.Threads, cancellation);
        RnnSequentialJob<TCell, TSimd, V, T>.Run(runs, runCount, weights, strides, choice.Threads, cancellation);
        return new SolveReport(RnnSolver.Sequential, choice.Reason, Converged: true);
    }

    public void Backward<TCell>(in RnnArrays<T> arrays, in RnnGradientArrays<T> gradients, in KernelOptions options)
        where TCell : struct, IDifferentiableRnnCell
    {
        RnnStrides strides = RnnStrides.Of(arrays.Shape, arrays.Direction, TCell.GateCount, TCell.StateCount);
        if (arrays.Shape.Elements(1) == 0)
        {
            WriteGradientsOfNothing<TCell>(arrays.Shape, gradients);
            return;
        }
        int threads = RnnTuning.ThreadCount(arrays.Shape.Elements(1), options), sequences = arrays.Shape.SequenceCount;
        int weightElements = TCell.WeightCount * strides.Channels;
        using var zeroMemory = RentedScratch.Of(TCell.StateCount * strides.Channels, out T* zeros);
        using var runMemory = RentedScratch.Of(RnnRuns.Capacity(arrays), out RnnRun<T>* runs);
        using var firstRunMemory = RentedScratch.Of((long)sequences + 1, out int* firstRuns);
        using var sumMemory = RentedScratch.Of((long)sequences * weightElements, out double* sums);
        new Span<T>(zeros, TCell.StateCount * strides.Channels).Clear();
        int runCount = RnnRuns.Cut(arrays, strides, TCell.StateCount, zeros, runs);
        for (int sequence = 0, run = 0; sequence <= sequences; sequence++)
        {
            while (run < runCount && runs[run].Sequence < sequence)
                run++;
            firstRuns[sequence] = run;
        }
        var job = new RnnBackwardJob<TCell, TSimd, V, T>(arrays, gradients, runs, firstRuns, sums);
        RangeRunner.Run(job, job.ItemCount, job.Grain(threads), threads, options.CancellationToken);
        RnnRuns.ClearPadding(arrays, gradients.GateGradients, TCell.GateCount);
        for (int i = 0; i < weightElements; i++)
        {
            double sum = 0;
            for (int sequence = 0; sequence < sequences; sequence++)
                sum += sums[(long)sequence * weightElements + i];
            gradients.WeightGradients[i] = ComputeType.FromDouble<T>(sum);
        }
    }

    // Without a step the final states are the initial ones, and weights have no influence.
    private static void WriteGradientsOfNothing<TCell>(in RnnShape shape, in RnnGradientArrays<T> gradients) where TCell : struct, IDifferentiableRnnCell
    {
        new Span<T>(gradients.WeightGradients, TCell.WeightCount * shape.ChannelCount).Clear();
        if (gradients.InitialStateGradient == null)
            return;
        var initial = new Span<T>(gradients.InitialStateGradient, shape.SequenceCount * TCell.StateCount * shape.ChannelCount);
        if (gradients.FinalStateGradient == null)
            initial.Clear();
        else
            new ReadOnlySpan<T>(gradients.FinalStateGradient, initial.Length).CopyTo(initial);
    }

    public void Multiply(in ProductArrays<T> arrays, in KernelOptions options)
    {
        long operations = (long)arrays.RowCount * arrays.ColumnCount * Math.Max(1, arrays.InnerCount) / MatrixBlocks.OperationsPerElement;
        MatrixProductJob<TSimd, V, T>.Run(arrays, RnnTuning.ThreadCount(operations, options), options.CancellationToken);
    }

    public void Scan(in AffineArrays<T> arrays, in KernelOptions options)
    {
        switch (arrays.BlockSize)
        {
            case 1: Scan<Block1>(arrays, options); break;
            case 2: Scan<Block2>(arrays, options); break;
            case 3: Scan<Block3>(arrays, options); break;
            default: Scan<Block4>(arrays, options); break;
        }
    }

    private static void Scan<TBlock>(in AffineArrays<T> arrays, in KernelOptions options) where TBlock : struct, IBlockSize
    {
        if (arrays.Shape.Elements(1) == 0)
            return;
        var job = new AffineScanJob<TBlock, TSimd, V, T>(arrays);
        int threads = RnnTuning.ThreadCount(arrays.Shape.Elements(1), options);
        RangeRunner.Run(job, job.ItemCount, job.Grain(threads), threads, options.CancellationToken);
        if (arrays.Lengths != null)
            RnnRuns.ClearPadding(new RnnArrays<T> { Shape = arrays.Shape, Lengths = arrays.Lengths }, arrays.States, TBlock.Size);
    }
}
