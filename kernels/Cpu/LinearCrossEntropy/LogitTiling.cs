namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>How a block of tokens becomes pieces of work: a stretch of the vocabulary by some of the tokens each. Of all sizes only the tiles and
/// stretches of words show in a bit.</summary>
/// <param name="StretchWords">Words of a stretch.</param>
/// <param name="StretchCount">Stretches, whose sums are kept apart.</param>
/// <param name="PieceTokens">Tokens of a piece.</param>
/// <param name="PieceCount">Pieces of a stretch.</param>
/// <param name="WordsAreRows">Whether tokens, not words, are laid out for the product.</param>
/// <param name="ProductWords">Words of a product: a tile, or whole ones.</param>
internal readonly record struct LogitTiling(int StretchWords, int StretchCount, int PieceTokens, int PieceCount, bool WordsAreRows, int ProductWords)
{
    private const int TileWords = LinearCrossEntropyTuning.TileWords;

    public static LogitTiling Of(in LinearClassifierShape shape, int tokens, int threads)
    {
        int words = StretchLength(shape.VocabularySize), stretches = Parts(shape.VocabularySize, words);
        int wanted = threads == 1 ? 1 : Parts(threads * LinearCrossEntropyTuning.ItemsPerThread, stretches);
        int pieces = Math.Clamp(wanted, 1, Parts(tokens, LinearCrossEntropyTuning.FewestTokens)), pieceTokens = Parts(tokens, pieces);
        // What is laid out costs as much as gathering logits does, an element each: the words once for each piece, or the tokens once for each
        // product, and the logits.
        int mostWords = Math.Clamp(LinearCrossEntropyTuning.TileLogits / pieceTokens / TileWords * TileWords, TileWords, words);
        bool wordsAreRows = pieceTokens * (1 + (double)shape.Width / mostWords) < shape.Width;
        int productWords = Math.Min(wordsAreRows ? mostWords : TileWords, shape.VocabularySize);
        return new(words, stretches, pieceTokens, Parts(tokens, pieceTokens), wordsAreRows, productWords);
    }

    public int ItemCount => StretchCount * PieceCount;

    /// <summary>Words of a stretch: whole tiles, by the vocabulary's size alone, so that no number of threads or tokens shows in the order of a
    /// sum.</summary>
    private static int StretchLength(int vocabularySize) => Parts(Parts(vocabularySize, TileWords), LinearCrossEntropyTuning.MostStretches) * TileWords;

    /// <summary>The parts of at most that many.</summary>
    private static int Parts(int count, int most) => (int)((count + (long)most - 1) / most);

    /// <summary>The most stretches that a vocabulary has.</summary>
    public static int StretchesOf(int vocabularySize) => Parts(vocabularySize, StretchLength(vocabularySize));
}
