namespace Kernels;

/// <summary>The sizes of a linear classifier over a vocabulary: logits[TokenCount, VocabularySize] = hidden[TokenCount, Width]
/// weights[VocabularySize, Width]^T + bias.</summary>
/// <param name="TokenCount">Rows of hidden states, each with a target; 0 is an empty problem.</param>
/// <param name="Width">Elements of a hidden state, and of a word's weights; at least 1.</param>
/// <param name="VocabularySize">Words (classes); at least 1.</param>
public readonly record struct LinearClassifierShape(int TokenCount, int Width, int VocabularySize);
