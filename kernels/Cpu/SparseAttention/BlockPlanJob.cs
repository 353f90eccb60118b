using System.Runtime.CompilerServices;
using Kernels.Core.SparseAttention;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Primitives;

namespace Kernels.Cpu.SparseAttention;

/// <summary>Blocks for some queries of a key-value head; items are [heads][blocks of queries, last queries first].</summary>
internal readonly unsafe struct BlockPlanJob<TKernels> : IRangeJob where TKernels : struct, IAttentionKernels
{
    private const int Tile = AttentionTuning.Tile;

    private readonly BlockPlanCall _call;
    private readonly CompressedKeys _compressed;
    private readonly int _rowCount, _queryBlockCount, _stride, _blockCount;
    private readonly float _scale;

    public BlockPlanJob(in BlockPlanCall call, in CompressedKeys compressed)
    {
        _call = call;
        _compressed = compressed;
        _stride = AttentionTuning.RowStride(compressed.Count);
        _rowCount = Math.Clamp(AttentionTuning.PlanElements / _stride / AttentionTuning.PlanRowMultiple * AttentionTuning.PlanRowMultiple,
            AttentionTuning.PlanRowMultiple, AttentionTuning.LargestPlanRowCount);
        _queryBlockCount = (call.QueryCount + _rowCount - 1) / _rowCount;
        _blockCount = (call.KeyCount + call.Sizes.BlockLength - 1) / call.Sizes.BlockLength;
        _scale = (float)(1 / Math.Sqrt(call.Shape.HeadDimension));
    }

    public long ItemCount => (long)_queryBlockCount * _call.Shape.KeyValueHeads;

    [SkipLocalsInit]
    public void Run(long begin, long end)
    {
        long queries = (long)_rowCount * _compressed.HeadDimension, logits = (long)_rowCount * _stride;
        using var memory = new RentedScratch(RentedScratch.Bytes<float>(queries) + 2 * RentedScratch.Bytes<float>(logits)
            + RentedScratch.Bytes<float>(_blockCount));
        var scratch = new PlanScratch
        {
            Queries = memory.Take<float>(queries),
            Terms = memory.Take<float>(logits),
            Votes = memory.Take<float>(logits),
            Scores = memory.Take<float>(_blockCount)
        };
        AttentionRow* rows = stackalloc AttentionRow[AttentionTuning.LargestPlanRowCount];
        for (long item = begin; item < end; item++)
        {
            // The last queries see the most keys: they go first, so that no thread is left alone with them.
            int head = (int)(item / _queryBlockCount), first = (_queryBlockCount - 1 - (int)(item % _queryBlockCount)) * _rowCount;
            Plan(head, first, Math.Min(_rowCount, _call.QueryCount - first), scratch, rows);
        }
    }

    private void Plan(int head, int first, int count, in PlanScratch scratch, AttentionRow* rows)
    {
        ulong ordered = ulong.MaxValue;
        // Who takes all the blocks that he sees has no need to rank them.
        bool ranks = BlocksSeen(first + count - 1) > _call.SelectedCount;
        if (ranks)
            new Span<float>(scratch.Votes, count * _stride).Clear();
        for (int h = head * _call.Shape.GroupSize; h < (head + 1) * _call.Shape.GroupSize; h++)
        {
            ordered &= LoadQueries(h, first, count, scratch.Queries);
            if (!ranks)
                continue;
            MakeTerms(head, first, count, scratch, rows);
            ordered &= AddVotes(first, count, scratch, rows);
        }
        for (int row = 0; row < count; row++)
            Select(head, first + row, (ordered >> row & 1) != 0, scratch.Votes + row * _stride, scratch.Scores);
    }

    private int Visible(int query) => _call.Sizes.CompressedCount(_call.PositionOf(query) + 1);

    private int BlocksSeen(int query) => _call.PositionOf(query) < 0 ? 0 : _call.PositionOf(query) / _call.Sizes.BlockLength + 1;

    // A bit for each query without an element that is infinite or no number.
    private ulong LoadQueries(int queryHead, int first, int count, float* queries)
    {
        int d = _compressed.HeadDimension;
        ulong finite = 0;
        for (int row = 0; row < count; row++)
        {
            float* query = _call.Queries + (first + row) * _call.Shape.QueryRowLength + queryHead * d;
            finite |= TilePacking<TKernels>.HasSpecial(query, d) ? 0 : 1UL << row;
            TKernels.CopyScaled(query, queries + row * d, d, _scale);
        }
        return finite;
    }

    // Terms of the compressed keys that each query sees, zeros for the others of the last panel.
    private void MakeTerms(int head, int first, int count, in PlanScratch scratch, AttentionRow* rows)
    {
        new Span<AttentionRow>(rows, count).Fill(AttentionRow.Empty);
        int end = Visible(first + count - 1);
        for (int begin = 0; begin < end; begin += Tile)
        {
            float* terms = scratch.Terms + begin;
            TileRows.Multiply<TKernels>(scratch.Queries, count, _compressed.HeadDimension, _compressed.Panel(head, begin / Tile), terms, _stride);
            for (int row = 0; row < count; row++)
            {
                int seen = Math.Clamp(Visible(first + row) - begin, 0, Tile);
                new Span<float>(terms + row * _stride + seen, Tile - seen).Fill(float.NegativeInfinity);
            }
            for (int row = 0; (row = TKernels.AddTerms(terms, _stride, rows, row, count)) < count; row++)
            {
                float factor = rows[row].AddTerms<TKernels>(terms + row * _stride);
                if (factor != 1)
                    TileRows.Scale<TKernels>(scratch.Terms + row * _stride, begin, factor);
            }
        }
    }

    // Adds probabilities; a bit for each query whose sum of terms is a number.
    private ulong AddVotes(int first, int count, in PlanScratch scratch, AttentionRow* rows)
    {
        ulong finite = 0;
        for (int row = 0; row < count; row++)
        {
            if (!double.IsFinite(rows[row].Sum))
                continue;
            finite |= 1UL << row;
            TKernels.AddScaled(scratch.Terms + row * _stride, scratch.Votes + row * _stride, Visible(first + row), rows[row].Normalization);
        }
        return finite;
    }

    private void Select(int head, int query, bool isOrdered, float* votes, float* scores)
    {
        var selected = new Span<int>(_call.Selected + ((long)head * _call.QueryCount + query) * _call.SelectedCount, _call.SelectedCount);
        selected.Fill(BlockPlanCall.NoBlock);
        int seen = BlocksSeen(query);
        if (!isOrdered)
        {
            selected[0] = BlockPlanCall.NoOrder;
        }
        else if (seen <= selected.Length)
        {
            for (int block = 0; block < seen; block++)
                selected[block] = block;
        }
        else
        {
            ScoreBlocks(votes, Visible(query), seen - 1, scores);
            TopKSelection.Select(new ReadOnlySpan<float>(scores, seen), selected);
        }
    }

    // Forced blocks first; a block whose window is empty comes last.
    private void ScoreBlocks(float* votes, int visible, int own, float* scores)
    {
        int stride = _call.Sizes.BlockLength / _call.Sizes.CompressedStride;
        for (int block = 0; block <= own; block++)
        {
            scores[block] = float.PositiveInfinity;
            if (block < _call.Sizes.InitialBlocks || block > own - _call.Sizes.LocalBlocks)
                continue;
            float largest = float.NegativeInfinity;
            long end = Math.Min(visible, (block + 1L) * stride);
            for (long i = Math.Max(0, (long)block * stride - 1); i < end; i++)
                largest = votes[i] > largest ? votes[i] : largest;
            scores[block] = largest;
        }
    }
}

/// <summary>What a thread has of a block of queries.</summary>
internal unsafe struct PlanScratch
{
    /// <summary>[rows, head dimension], scaled.</summary>
    public float* Queries;

    /// <summary>[rows, stride] of one query head.</summary>
    public float* Terms;

    /// <summary>[rows, stride]: probabilities of all query heads of a group.</summary>
    public float* Votes;

    /// <summary>[blocks] of one query.</summary>
    public float* Scores;
}
