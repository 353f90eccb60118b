using Kernels.Core.LinearCrossEntropy;
using Kernels.Core.Primitives;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Primitives;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>
/// Logits tile by tile: the product of some tokens with some words, the sums of its exponentials, and the logits of targets; nothing else is kept of
/// a tile. A logit is one chain of multiply-adds from the bias
/// on, whichever of the two matrices is laid out for the product, so that no size shows in its bits.
/// </summary>
/// <param name="rows">The problem.</param>
/// <param name="block">Its tokens at hand.</param>
/// <param name="tiling">The pieces.</param>
/// <param name="sums">[stretches, tokens of the block]: each stretch's sum.</param>
/// <param name="targetLogits">[tokens of the block].</param>
internal readonly unsafe struct LogitTileJob<TSimd, V>(in ClassifierRows rows, TokenBlock block, LogitTiling tiling,
    LogitSum* sums, float* targetLogits) : IRangeJob
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    private const int TileWords = LinearCrossEntropyTuning.TileWords;

    private readonly ClassifierRows _rows = rows;
    private readonly TokenBlock _block = block;
    private readonly LogitTiling _tiling = tiling;
    private readonly LogitSum* _sums = sums;
    private readonly float* _targetLogits = targetLogits;

    public void Run(long begin, long end)
    {
        long logits = (long)_tiling.PieceTokens * _tiling.ProductWords;
        using var scratch = new RentedScratch(RentedScratch.Bytes<float>(logits) + RentedScratch.Bytes<float>(TileWords));
        float* product = scratch.Take<float>(logits), row = scratch.Take<float>(TileWords);
        for (long item = begin; item < end; item++)
        {
            int stretch = (int)(item / _tiling.PieceCount), first = (int)(item % _tiling.PieceCount) * _tiling.PieceTokens;
            int tokens = Math.Min(_tiling.PieceTokens, _block.Count - first);
            LogitSum* sums = _sums + (long)stretch * _block.Count + first;
            new Span<LogitSum>(sums, tokens).Fill(LogitSum.Empty);
            int word = stretch * _tiling.StretchWords, lastWord = (int)Math.Min(_rows.Shape.VocabularySize, (long)word + _tiling.StretchWords);
            for (; word < lastWord; word += _tiling.ProductWords)
            {
                int words = Math.Min(_tiling.ProductWords, lastWord - word);
                if (_tiling.WordsAreRows)
                    AddByWords(first, tokens, word, words, product, row, sums);
                else
                    AddByTokens(first, tokens, word, words, product, sums);
            }
        }
    }

    // Tokens are the product's rows, which stand as they are; words are its columns, and are laid out for it.
    private void AddByTokens(int first, int tokens, int word, int words, float* logits, LogitSum* sums)
    {
        Multiply(new()
        {
            RowCount = tokens,
            ColumnCount = words,
            Left = new(Hidden(first), _rows.Shape.Width, 1),
            Right = new(Weights(word), 1, _rows.Shape.Width),
            Bias = _rows.Bias == null ? null : _rows.Bias + word,
            Result = logits,
        });
        for (int token = 0; token < tokens; token++)
            Add(first + token, word, words, logits + (long)token * words, ref sums[token]);
    }

    // Words are the rows, and tokens are laid out; each starts from its word's bias. Tile by tile a token's logits are gathered.
    private void AddByWords(int first, int tokens, int word, int words, float* logits, float* row, LogitSum* sums)
    {
        for (int i = 0; i < words; i++)
            new Span<float>(logits + (long)i * tokens, tokens).Fill(_rows.Bias == null ? 0 : _rows.Bias[word + i]);
        Multiply(new()
        {
            RowCount = words,
            ColumnCount = tokens,
            Left = new(Weights(word), _rows.Shape.Width, 1),
            Right = new(Hidden(first), 1, _rows.Shape.Width),
            Result = logits,
            Accumulates = true,
        });
        for (int tile = 0; tile < words; tile += TileWords)
        {
            int count = Math.Min(TileWords, words - tile);
            for (int token = 0; token < tokens; token++)
            {
                for (int i = 0; i < count; i++)
                    row[i] = logits[(long)(tile + i) * tokens + token];
                Add(first + token, word + tile, count, row, ref sums[token]);
            }
        }
    }

    private float* Hidden(int token) => _rows.Hidden + (long)(_block.First + token) * _rows.Shape.Width;

    private float* Weights(int word) => _rows.Weights + (long)word * _rows.Shape.Width;

    // Pieces are what threads share; a product belongs to one.
    private void Multiply(ProductArrays<float> product)
    {
        product.InnerCount = _rows.Shape.Width;
        product.ResultStride = product.ColumnCount;
        MatrixProductJob<TSimd, V, float>.Run(product, threads: 1, CancellationToken.None);
    }

    private void Add(int token, int word, int words, float* logits, ref LogitSum sum)
    {
        sum = sum.Plus(LogitSum.Of<TSimd, V>(ref *logits, words));
        int target = _rows.Targets[_block.First + token] - word;
        if ((uint)target < (uint)words)
            _targetLogits[token] = logits[target];
    }
}
