using System.Runtime.CompilerServices;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// Exact arithmetic on 2:4 weights (<see cref="TwoOfFour"/>): half of the products, each with the activation that its position chooses out of four. Within a
/// segment the sum of a (q - z) over the kept inputs in order, then times the scale, as dense weights are summed.
/// </summary>
internal readonly unsafe struct SparseGemmKernels<V, TSimd, TFormat> : IGemmKernels
    where V : unmanaged
    where TSimd : struct, IGemmSimd<V>
    where TFormat : struct, IWeightFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns, LaneInputs = QuantizedWeightsLayout.LaneInputs;

    // Inputs from which a lane's four values are kept, and those of a step, of two such halves.
    private const int HalfInputs = LaneInputs * TwoOfFour.Inputs / TwoOfFour.Kept, StepInputs = 2 * HalfInputs;

    // Rows that share an unpacked weight: four chains of additions cover the latency of FMA with one register of outputs.
    private const int TileRows = 4;

    private static int StepBytes => TFormat.StepBytes + PanelColumns * sizeof(ushort);

    public static void AddExact(in GemmRun run, float* sums)
    {
        for (int i = 0; i < run.Count; i++)
            AddExact(run.Segment(i), run.Activations(i), sums);
    }

    public static void AddInt8(in GemmRun run, float* sums) =>
        throw new NotSupportedException("2:4 weights have no eight-bit arithmetic; the door refuses it");

    private static void AddExact(in GemmSegment segment, in ActivationSegment activations, float* sums)
    {
        for (int column = 0; column < PanelColumns; column += TSimd.Lanes)
        {
            int row = 0;
            for (; row <= activations.RowCount - TileRows; row += TileRows)
                AddTile(segment, activations, row, column, sums);
            for (; row < activations.RowCount; row++)
                AddRow(segment, activations, row, column, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTile(in GemmSegment segment, in ActivationSegment activations, int row, int column, float* sums)
    {
        V zero = segment.LoadZeros<V, TSimd>(column);
        int length = activations.Length;
        float* a0 = (float*)activations.Values + (long)row * length;
        V s0 = TSimd.Zero, s1 = s0, s2 = s0, s3 = s0;
        byte* step = segment.Weights;
        for (int i = 0; i < segment.StepCount; i++, step += StepBytes)
        {
            V positions = LoadPositions(step, column), bytes = TFormat.First<V, TSimd>(step + column * LaneInputs);
            AddKept(bytes, 0, positions, 0, zero, a0, length, ref s0, ref s1, ref s2, ref s3);
            AddKept(bytes, 1, positions, 1, zero, a0, length, ref s0, ref s1, ref s2, ref s3);
            AddKept(bytes, 2, positions, 2, zero, a0 + TwoOfFour.Inputs, length, ref s0, ref s1, ref s2, ref s3);
            AddKept(bytes, 3, positions, 3, zero, a0 + TwoOfFour.Inputs, length, ref s0, ref s1, ref s2, ref s3);
            a0 += HalfInputs;
            bytes = TFormat.Second<V, TSimd>(step + column * LaneInputs);
            AddKept(bytes, 0, positions, LaneInputs, zero, a0, length, ref s0, ref s1, ref s2, ref s3);
            AddKept(bytes, 1, positions, LaneInputs + 1, zero, a0, length, ref s0, ref s1, ref s2, ref s3);
            AddKept(bytes, 2, positions, LaneInputs + 2, zero, a0 + TwoOfFour.Inputs, length, ref s0, ref s1, ref s2, ref s3);
            AddKept(bytes, 3, positions, LaneInputs + 3, zero, a0 + TwoOfFour.Inputs, length, ref s0, ref s1, ref s2, ref s3);
            a0 += HalfInputs;
        }
        V scale = segment.LoadScales<V, TSimd>(column);
        sums += row * PanelColumns + column;
        AddScaled(s0, scale, sums);
        AddScaled(s1, scale, sums + PanelColumns);
        AddScaled(s2, scale, sums + 2 * PanelColumns);
        AddScaled(s3, scale, sums + 3 * PanelColumns);
    }

    // One kept value and what it meets in four rows.
    [MethodImpl(Inline)]
    private static void AddKept(V bytes, int index, V positions, int kept, V zero, float* four, int length, ref V s0, ref V s1, ref V s2, ref V s3)
    {
        V weight = TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, index), zero);
        s0 = TSimd.MultiplyAdd(TSimd.Select(four, positions, kept), weight, s0);
        s1 = TSimd.MultiplyAdd(TSimd.Select(four + length, positions, kept), weight, s1);
        s2 = TSimd.MultiplyAdd(TSimd.Select(four + 2 * length, positions, kept), weight, s2);
        s3 = TSimd.MultiplyAdd(TSimd.Select(four + 3 * length, positions, kept), weight, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(in GemmSegment segment, in ActivationSegment activations, int row, int column, float* sums)
    {
        V zero = segment.LoadZeros<V, TSimd>(column), sum = TSimd.Zero;
        float* a = (float*)activations.Values + (long)row * activations.Length;
        byte* step = segment.Weights;
        for (int i = 0; i < segment.StepCount; i++, step += StepBytes, a += StepInputs)
        {
            V positions = LoadPositions(step, column);
            sum = AddHalf(TFormat.First<V, TSimd>(step + column * LaneInputs), positions, 0, zero, a, sum);
            sum = AddHalf(TFormat.Second<V, TSimd>(step + column * LaneInputs), positions, LaneInputs, zero, a + HalfInputs, sum);
        }
        AddScaled(sum, segment.LoadScales<V, TSimd>(column), sums + row * PanelColumns + column);
    }

    // The same operations in the same order as in a tile.
    [MethodImpl(Inline)]
    private static V AddHalf(V bytes, V positions, int first, V zero, float* a, V sum)
    {
        sum = TSimd.MultiplyAdd(TSimd.Select(a, positions, first), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 0), zero), sum);
        sum = TSimd.MultiplyAdd(TSimd.Select(a, positions, first + 1), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 1), zero), sum);
        sum = TSimd.MultiplyAdd(TSimd.Select(a + TwoOfFour.Inputs, positions, first + 2), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 2), zero), sum);
        return TSimd.MultiplyAdd(TSimd.Select(a + TwoOfFour.Inputs, positions, first + 3), TSimd.Subtract(TFormat.ToSingle<V, TSimd>(bytes, 3), zero), sum);
    }

    // Positions stand behind the values of their step.
    [MethodImpl(Inline)]
    private static V LoadPositions(byte* step, int column) => TSimd.LoadShorts(step + TFormat.StepBytes + column * sizeof(ushort));

    [MethodImpl(Inline)]
    private static void AddScaled(V sum, V scale, float* sums) => TSimd.Store(TSimd.MultiplyAdd(sum, scale, TSimd.Load(sums)), sums);
}
