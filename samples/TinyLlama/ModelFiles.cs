namespace TinyLlama;

/// <summary>Where a model lies.</summary>
internal sealed record ModelFiles(string Model, string Tokenizer)
{
    public ICheckpoint OpenModel() => Checkpoint.Open(Model, int.MaxValue);

    public ITokenizer OpenTokenizer(LlamaShape shape) => TokenizerFiles.Open(Tokenizer, shape.VocabularySize);
}
