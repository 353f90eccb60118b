using System.Runtime.Intrinsics;
using Kernels.Core.Elements;
using Kernels.Cpu.ParaRnn;

namespace Kernels.Tests;

/// <summary>A cell by name: the library's type argument and the oracle's function.</summary>
internal abstract class RnnCase
{
    public required string Name { get; init; }

    public required OracleStep Step { get; init; }

    public abstract int GateCount { get; }

    public abstract int StateCount { get; }

    public abstract int WeightCount { get; }

    public abstract SolveReport Forward<T>(ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, Span<T> states, RnnShape shape, in RnnOptions<T> options)
        where T : unmanaged;

    public abstract void Backward<T>(
        ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, ReadOnlySpan<T> states, ReadOnlySpan<T> stateGradients, Span<T> gateGradients, Span<T> weightGradients,
        RnnShape shape,
        in RnnGradientOptions<T> options) where T : unmanaged;
}

internal sealed class RnnCase<TCell> : RnnCase where TCell : struct, IDifferentiableRnnCell
{
    public override int GateCount => TCell.GateCount;

    public override int StateCount => TCell.StateCount;

    public override int WeightCount => TCell.WeightCount;

    public override SolveReport Forward<T>(ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, Span<T> states, RnnShape shape, in RnnOptions<T> options) =>
        ParaRnn.Forward<TCell, T>(gates, weights, states, shape, options);

    public override void Backward<T>(
        ReadOnlySpan<T> gates, ReadOnlySpan<T> weights, ReadOnlySpan<T> states, ReadOnlySpan<T> stateGradients, Span<T> gateGradients, Span<T> weightGradients,
        RnnShape shape,
        in RnnGradientOptions<T> options) =>
        ParaRnn.Backward<TCell, T>(gates, weights, states, stateGradients, gateGradients, weightGradients, shape, options);
}

/// <summary>A user's cell with nothing but a step.</summary>
internal readonly struct StepOnlyGru : IRnnCell
{
    public static int GateCount => ParaGru.GateCount;

    public static int StateCount => ParaGru.StateCount;

    public static int WeightCount => ParaGru.WeightCount;

    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V> =>
        ParaGru.Step<V, TMath>(gates, weights, state, next);
}

/// <summary>As <see cref="StepOnlyGru"/>, with a state of two components.</summary>
internal readonly struct StepOnlyLstm : IRnnCell
{
    public static int GateCount => ParaLstm.GateCount;

    public static int StateCount => ParaLstm.StateCount;

    public static int WeightCount => ParaLstm.WeightCount;

    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V> =>
        ParaLstm.Step<V, TMath>(gates, weights, state, next);
}

/// <summary>A user's cell whose Jacobian is a full block: next[i] = tanh(x[i] + sum over j of a[(i + j) mod n] s[j] / 4).</summary>
internal readonly struct BlockCell<TBlock> : IRnnCell where TBlock : struct, IBlockSize
{
    public static int GateCount => TBlock.Size;

    public static int StateCount => TBlock.Size;

    public static int WeightCount => TBlock.Size;

    public static void Step<V, TMath>(RnnRegisters<V> gates, RnnRegisters<V> weights, RnnRegisters<V> state, RnnRegisters<V> next)
        where V : unmanaged
        where TMath : struct, IRnnArithmetic<V>
    {
        for (int i = 0; i < TBlock.Size; i++)
        {
            V sum = gates[i];
            for (int j = 0; j < TBlock.Size; j++)
                sum = TMath.MultiplyAdd(weights[(i + j) % TBlock.Size], TMath.Multiply(TMath.Constant(0.25), state[j]), sum);
            next[i] = TMath.Tanh(sum);
        }
    }
}

/// <summary>Cells, variants and data that the tests sweep.</summary>
internal static class ParaRnnCases
{
    public static RnnCase[] Cells { get; } =
    [
        new RnnCase<ParaGru> { Name = "gru", Step = ParaRnnOracle.Gru },
        new RnnCase<ParaLstm> { Name = "lstm", Step = ParaRnnOracle.Lstm },
        new RnnCase<MinGru> { Name = "mingru", Step = ParaRnnOracle.MinGru },
        new RnnCase<DiagonalElman> { Name = "elman", Step = ParaRnnOracle.Elman },
        new RnnCase<AutomaticDerivatives<StepOnlyGru>> { Name = "step-only gru", Step = ParaRnnOracle.Gru },
        new RnnCase<AutomaticDerivatives<StepOnlyLstm>> { Name = "step-only lstm", Step = ParaRnnOracle.Lstm },
        new RnnCase<AutomaticDerivatives<BlockCell<Block3>>> { Name = "step-only block of 3", Step = ParaRnnOracle.Block },
        new RnnCase<AutomaticDerivatives<BlockCell<Block4>>> { Name = "step-only block of 4", Step = ParaRnnOracle.Block },
    ];

    public static RnnCase Cell(string name) => Cells.Single(cell => cell.Name == name);

    /// <summary>
    /// Variants of float and cells, each with each; dual numbers, which are the same code on every width and slow in software, with the chosen variant alone.
    /// </summary>
    public static TheoryData<string, string> VariantsAndCells()
    {
        string chosen = KernelInfo.Catalogue.Single(dispatch => dispatch.Chosen.Family == "para_rnn" && dispatch.Chosen.Types == "f32").Chosen.Identity;
        var data = new TheoryData<string, string>();
        foreach (string variant in Identities("f32"))
        {
            foreach (RnnCase cell in Cells)
            {
                if (variant == chosen || !cell.Name.StartsWith("step-only", StringComparison.Ordinal))
                    data.Add(variant, cell.Name);
            }
        }
        return data;
    }

    public static TheoryData<string> Variants() => new(Identities("f32"));

    public static TheoryData<string> CellNames() => new(Cells.Select(cell => cell.Name));

    private static IEnumerable<string> Identities(string types) =>
        KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants).Where(variant => variant.Family == "para_rnn" && variant.Types == types)
        .Select(variant => variant.Identity);

    /// <summary>
    /// Options that force a variant of T, given as float's, in software if need be; skips the test, with the catalogue's reason, where that would take minutes.
    /// </summary>
    public static KernelOptions Force<T>(string identity, int threads = 1) where T : unmanaged
    {
        string own = identity.Replace("f32", TypeName.Of<T>(), StringComparison.Ordinal);
        KernelVariant variant = KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants).Single(v => v.Identity == own);
        Skip.If(variant.Availability == VariantAvailability.Emulated && !Vector128.IsHardwareAccelerated,
            $"{own}: without SIMD of any width, software vectors take minutes; the runs with SIMD emulate it");
        return new KernelOptions { Variant = own, MaxDegreeOfParallelism = threads, AllowEmulation = true };
    }

    /// <summary>Normal numbers of the given spread, rounded to T.</summary>
    public static T[] Normal<T>(long count, double spread, int seed) where T : unmanaged
    {
        var random = new Random(seed);
        var numbers = new T[count];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = Element.FromDouble<T>(spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return numbers;
    }
}
