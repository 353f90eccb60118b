namespace TinyLlama;

/// <summary>Where a model lies.</summary>
/// <param name="Model">A folder of Hugging Face, a safetensors file or an index in it, or a checkpoint of llama2.c.</param>
/// <param name="Tokenizer">A folder of Hugging Face, a file in it, or a tokenizer of llama2.c.</param>
/// <param name="LongestContext">Cuts the context of models, which often allow more than there is memory for.</param>
internal sealed record ModelFiles(string Model, string Tokenizer, int LongestContext = int.MaxValue)
{
    public ICheckpoint OpenModel() => FolderOf(Model) is null ? new Llama2CheckpointFile(Model, LongestContext)
        : new HuggingFaceCheckpoint(Model, LongestContext);

    public ITokenizer OpenTokenizer(LlamaShape shape)
    {
        int size = shape.VocabularySize;
        if (FolderOf(Tokenizer) is not { } folder)
            return new Llama2Tokenizer(Tokenizer, size);
        SpecialTokens special = SpecialTokens.Read(folder, size);
        string json = Path.Combine(folder, TokenizerJson.FileName);
        return File.Exists(json) || !File.Exists(Path.Combine(folder, VocabularyFiles.VocabularyName)) ? TokenizerJson.Open(json, size, special)
            : VocabularyFiles.Open(folder, size, special);
    }

    // The folder of Hugging Face that a path leads to; null for a file of llama2.c.
    private static string? FolderOf(string path) =>
        Directory.Exists(path) ? path : Path.GetExtension(path) is ".safetensors" or ".json" ? Path.GetDirectoryName(Path.GetFullPath(path)) : null;
}
