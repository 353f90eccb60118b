using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.Int8Decomposition;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>The small float product of a tile's outlier columns with a panel of integer weights.</summary>
/// <remarks>
/// A step of the panel holds 4 inputs of each output in a lane: the wanted one is shifted up to the sign bit, down again with its sign, and made a float,
/// exactly. Columns come in ascending order, and rows that have no outlier in one multiply with zero, which changes no bit of their sums (x + 0 w = x, and w is
/// finite): so a row's result is the same whatever columns its tile mates bring along.
/// </remarks>
internal static unsafe class Int8OutlierProduct
{
    private const int PanelColumns = Int8WeightsLayout.PanelColumns, TileRows = Int8DecompositionTuning.TileRows, Byte = 8, TopByte = 24;

    /// <summary>Outputs of a register tile: two registers, with 6 rows 12 sums.</summary>
    private const int TileColumns = 16;

    /// <summary>sums[row][output] = sum over i of activations[i][row] q[output][columns[i]].</summary>
    /// <param name="panel">The panel's first step.</param>
    /// <param name="columns">Inputs, ascending.</param>
    /// <param name="activations">[count][6].</param>
    /// <param name="count">The number of columns.</param>
    /// <param name="sums">[6][32].</param>
    public static void Compute(byte* panel, int* columns, float* activations, int count, float* sums)
    {
        for (int output = 0; output < PanelColumns; output += TileColumns)
            Compute(panel, output, columns, activations, count, sums + output);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(byte* panel, int output, int* columns, float* activations, int count, float* sums)
    {
        Vector256<float> s00 = Vector256<float>.Zero, s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00,
            s50 = s00, s51 = s00;
        for (int i = 0; i < count; i++, activations += TileRows)
        {
            int input = columns[i], up = TopByte - Byte * (input % Int8WeightsLayout.LaneInputs);
            var lanes = (int*)(panel + (long)(input / Int8WeightsLayout.LaneInputs) * Int8WeightsLayout.StepBytes) + output;
            Vector256<float> w0 = Weights(lanes, up), w1 = Weights(lanes + Vector256<int>.Count, up), a = Vector256.Create(activations[0]);
            s00 = Vector256.MultiplyAddEstimate(a, w0, s00);
            s01 = Vector256.MultiplyAddEstimate(a, w1, s01);
            a = Vector256.Create(activations[1]);
            s10 = Vector256.MultiplyAddEstimate(a, w0, s10);
            s11 = Vector256.MultiplyAddEstimate(a, w1, s11);
            a = Vector256.Create(activations[2]);
            s20 = Vector256.MultiplyAddEstimate(a, w0, s20);
            s21 = Vector256.MultiplyAddEstimate(a, w1, s21);
            a = Vector256.Create(activations[3]);
            s30 = Vector256.MultiplyAddEstimate(a, w0, s30);
            s31 = Vector256.MultiplyAddEstimate(a, w1, s31);
            a = Vector256.Create(activations[4]);
            s40 = Vector256.MultiplyAddEstimate(a, w0, s40);
            s41 = Vector256.MultiplyAddEstimate(a, w1, s41);
            a = Vector256.Create(activations[5]);
            s50 = Vector256.MultiplyAddEstimate(a, w0, s50);
            s51 = Vector256.MultiplyAddEstimate(a, w1, s51);
        }
        Store(s00, s01, sums);
        Store(s10, s11, sums + PanelColumns);
        Store(s20, s21, sums + 2 * PanelColumns);
        Store(s30, s31, sums + 3 * PanelColumns);
        Store(s40, s41, sums + 4 * PanelColumns);
        Store(s50, s51, sums + 5 * PanelColumns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Weights(int* lanes, int up) => Vector256.ConvertToSingle((Vector256.Load(lanes) << up) >> TopByte);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> left, Vector256<float> right, float* sums)
    {
        left.Store(sums);
        right.Store(sums + Vector256<float>.Count);
    }
}
