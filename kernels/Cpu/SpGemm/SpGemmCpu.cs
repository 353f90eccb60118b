using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>The driver: pins the operands and runs products, patterns and values of known patterns. The only place where sparse operands are pinned.</summary>
internal sealed unsafe class SpGemmCpu(SpGemmAccumulator accumulator) : ISpGemmBackend
{
    public CsrMatrix<T> Multiply<T, TSemiring>(in SpGemmProblem<T> problem, SpGemmWorkspace workspace) where T : unmanaged, IEquatable<T>
        where TSemiring : struct, ISemiring<T>
    {
        using PinnedCsr<T> left = PinnedCsr.Of(problem.Left), right = PinnedCsr.Of(problem.Right);
        using PinnedCsr<T> addend = problem.Options.Addend is { } present ? PinnedCsr.Of(present) : default;
        using PinnedCsr<NoValue> mask = PinnedCsr.Of(problem.Options.Mask);
        SpGemmOperands<T> operands = Operands(problem.Options, left.Rows, right.Rows, mask.Rows);
        operands.Addend = addend.Rows;
        return new SpGemmRun<T, TSemiring>(accumulator, operands, problem.Options.MaxResultBytes, workspace, problem.Options.Kernel).Multiply();
    }

    public CsrMatrix<NoValue> MultiplyPatterns<T>(in SpGemmProblem<T> problem, SpGemmWorkspace workspace) where T : unmanaged, IEquatable<T>
    {
        using PinnedCsr<T> left = PinnedCsr.Of(problem.Left), right = PinnedCsr.Of(problem.Right);
        using PinnedCsr<NoValue> mask = PinnedCsr.Of(problem.Options.Mask);
        SpGemmOperands<NoValue> operands = Operands(problem.Options, left.Pattern, right.Pattern, mask.Rows);
        return new SpGemmRun<NoValue, PatternSemiring>(accumulator, operands, problem.Options.MaxResultBytes, workspace, problem.Options.Kernel).Multiply();
    }

    public void MultiplyNumeric<T, TSemiring>(in SpGemmProblem<T> problem, CsrMatrix<NoValue> pattern, Span<T> values, SpGemmWorkspace workspace)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        using PinnedCsr<T> left = PinnedCsr.Of(problem.Left), right = PinnedCsr.Of(problem.Right);
        using PinnedCsr<NoValue> known = PinnedCsr.Of(pattern);
        CsrRows<NoValue> mask = problem.Options.Mask is null ? default : known.Rows;
        SpGemmOperands<T> operands = Operands(problem.Options, left.Rows, right.Rows, mask);
        operands.MaskIsComplement = false;
        fixed (T* results = values)
            RunNumeric<T, TSemiring>(operands, known.Rows, results, workspace, problem.Options.Kernel);
    }

    public SpGemmCount Count<T>(in SpGemmProblem<T> problem, SpGemmWorkspace workspace) where T : unmanaged, IEquatable<T>
    {
        using PinnedCsr<T> left = PinnedCsr.Of(problem.Left), right = PinnedCsr.Of(problem.Right);
        SpGemmOperands<T> operands = Operands(problem.Options, left.Rows, right.Rows, mask: default);
        long[] rows = workspace.TakePointers(operands.Left.RowCount + 1);
        fixed (long* products = rows)
        {
            long least = SpGemmAnalysis.CountProducts(operands, products, problem.Options.Kernel), total = 0, most = 0;
            for (int row = 0; row < operands.Left.RowCount; row++)
            {
                total = checked(total + products[row + 1]);
                most += SpGemmSchedule<T>.BoundOf(operands, row, products[row + 1]);
            }
            workspace.ReturnPointers(rows);
            return new SpGemmCount(total, operands.Right.HasDuplicates ? 0 : least, most);
        }
    }

    private void RunNumeric<T, TSemiring>(in SpGemmOperands<T> operands, in CsrRows<NoValue> pattern, T* values, SpGemmWorkspace workspace,
        in KernelOptions options)
        where T : unmanaged, IEquatable<T> where TSemiring : struct, ISemiring<T>
    {
        SpGemmSchedule<T> schedule;
        long[] rows = workspace.TakePointers(operands.Left.RowCount + 1);
        fixed (long* products = rows)
        {
            SpGemmAnalysis.CountProducts(operands, products, options);
            schedule = new SpGemmSchedule<T>(operands, products, workspace, canStripe: false);
        }
        workspace.ReturnPointers(rows);
        int threads = SpGemmAnalysis.ThreadCount(schedule.Products, schedule.TileCount, options);
        SpGemmChoice choice = SpGemmChoice.Of(accumulator, operands.Right.ColumnCount, sizeof(T), SpGemmAnalysis.BytesOf(operands), schedule.Products, threads);
        SpGemmLaneSizes sizes = SpGemmAnalysis.LaneSizes(schedule, choice, operands, threads) with { StageEntries = 0 };
        var job = new SpGemmNumericJob<T, TSemiring>
        {
            Operands = operands,
            Pattern = pattern,
            Choice = choice,
            Lanes = SpGemmAnalysis.RentLanes<T, TSemiring>(workspace, sizes, threads),
            Tiles = schedule.Tiles,
            Values = values,
        };
        RangeRunner.Run(job, schedule.TileCount, grain: 1, threads, options.CancellationToken);
    }

    private static SpGemmOperands<TValue> Operands<T, TValue>(in SpGemmOptions<T> options, in CsrRows<TValue> left, in CsrRows<TValue> right,
        in CsrRows<NoValue> mask)
        where T : unmanaged, IEquatable<T> where TValue : unmanaged => new()
        {
            Left = left,
            Right = right,
            Mask = mask,
            MaskIsComplement = options.Mask is { IsComplement: true },
            IsUnsorted = options.Unsorted,
            DropsZeros = options.DropZeros,
        };
}
