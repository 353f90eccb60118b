using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Probabilities of a tile of pairs, made again from packed keys and known sums, and the gradient of its logits.</summary>
internal readonly unsafe struct AttentionPairTile<TKernels>(in AttentionCall call, in AttentionSequence sequence, in PackedPanels panels, float* logSumExp)
    where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly AttentionCall _call = call;
    private readonly AttentionSequence _sequence = sequence;
    private readonly PackedPanels _panels = panels;
    private readonly AttentionMask<TKernels> _mask = new(call, sequence);
    private readonly float* _logSumExp = logSumExp;

    /// <summary>probabilities[row][key], zeros where a pair takes no part; false if none does. Queries are scaled.</summary>
    /// <param name="tile">The query rows.</param>
    /// <param name="head">The key-value head.</param>
    /// <param name="panel">The keys.</param>
    /// <param name="queries">[rows, head dimension].</param>
    /// <param name="probabilities">[rows, tile].</param>
    /// <param name="capSlopes">[rows, tile] or null: receives the derivative of the soft cap.</param>
    public bool Probabilities(in AttentionTile tile, int head, int panel, float* queries, float* probabilities, float* capSlopes)
    {
        int first = panel * Tile, count = Math.Min(Tile, _sequence.KeyCount - first);
        TileCover cover = _mask.Cover(tile, first, count);
        if (cover == TileCover.None)
            return false;
        TileRows.Multiply<TKernels>(queries, tile.RowCount, _panels.HeadDimension, _panels.Panel(_panels.KeysAcross, head, panel), probabilities);
        for (int row = 0; row < tile.RowCount; row++)
        {
            float* scores = probabilities + row * Tile;
            if (capSlopes != null)
                CapSlopes(scores, capSlopes + row * Tile);
            if (cover == TileCover.Part || count < Tile)
                _mask.Apply(tile.HeadOf(row), tile.QueryOf(row), first, count, scores);
            float sum = _logSumExp[(long)(_sequence.QueryBegin + tile.QueryOf(row)) * _call.Shape.QueryHeads + tile.HeadOf(row)];
            Exponentiate(scores, sum);
        }
        return true;
    }

    /// <summary>
    /// gradients = probabilities (dO V - delta), times the cap's slope: the gradient of the scaled products; zeros where a probability is 0.
    /// </summary>
    /// <param name="tile">The query rows.</param>
    /// <param name="head">The key-value head.</param>
    /// <param name="panel">The keys.</param>
    /// <param name="outputGradients">[rows, head dimension].</param>
    /// <param name="deltas">For each row the product of its output and its output's gradient.</param>
    /// <param name="probabilities">[rows, tile].</param>
    /// <param name="capSlopes">[rows, tile] or null.</param>
    /// <param name="gradients">[rows, tile].</param>
    public void LogitGradients(in AttentionTile tile, int head, int panel, float* outputGradients, float* deltas, float* probabilities, float* capSlopes,
        float* gradients)
    {
        TileRows.Multiply<TKernels>(outputGradients, tile.RowCount, _panels.HeadDimension, _panels.Panel(_panels.ValuesAcross, head, panel), gradients);
        for (int row = 0; row < tile.RowCount; row++)
        {
            for (int i = row * Tile; i < (row + 1) * Tile; i++)
            {
                float gradient = probabilities[i] * (gradients[i] - deltas[row]) * (capSlopes == null ? 1 : capSlopes[i]);
                gradients[i] = probabilities[i] == 0 ? 0 : gradient;
            }
        }
    }

    // Pairs that are left out have probabilities of 0, even in a row that is no number.
    private static void Exponentiate(float* logits, float logSumExp)
    {
        if (float.IsNegativeInfinity(logSumExp))
        {
            new Span<float>(logits, Tile).Clear();
        }
        else if (float.IsNaN(logSumExp))
        {
            for (int key = 0; key < Tile; key++)
                logits[key] = logits[key] < AttentionTuning.SmallestLogit ? 0 : logSumExp;
        }
        else
        {
            if (logSumExp < AttentionTuning.SmallestLogit + AttentionTuning.TermReach)
                TileRows.LeaveOut(logits);
            TKernels.Exponentiate(logits, logSumExp, 0);
        }
    }

    // c tanh(x / c) has the slope 1 - tanh(x / c)^2.
    [SkipLocalsInit]
    private void CapSlopes(float* scores, float* slopes)
    {
        new ReadOnlySpan<float>(scores, Tile).CopyTo(new Span<float>(slopes, Tile));
        TKernels.Cap(slopes, _call.SoftCap);
        for (int i = 0; i < Tile; i++)
        {
            float tangent = slopes[i] / _call.SoftCap;
            slopes[i] = 1 - tangent * tangent;
        }
    }
}
