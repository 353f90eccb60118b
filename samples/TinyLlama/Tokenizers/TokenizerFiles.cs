namespace TinyLlama;

/// <summary>Opens tokenizers by what they are.</summary>
internal static class TokenizerFiles
{
    /// <summary>Opens the tokenizer of a folder of Hugging Face (tokenizer.json, or else vocab.json and merges.txt, with config.json), or else llama2.c's.</summary>
    /// <param name="path">The folder, a JSON or safetensors file in it, or llama2.c's file.</param>
    /// <param name="vocabularySize">Tokens that the model knows.</param>
    public static ITokenizer Open(string path, int vocabularySize)
    {
        bool isFolder = Directory.Exists(path);
        if (!isFolder && Path.GetExtension(path) is not (".json" or ".safetensors"))
            return new Llama2Tokenizer(path, vocabularySize);
        string folder = isFolder ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        SpecialTokens special = SpecialTokens.Read(JsonValue.Read(Path.Combine(folder, HuggingFaceConfig.FileName)), vocabularySize);
        return File.Exists(Path.Combine(folder, TokenizerJson.FileName)) || !File.Exists(Path.Combine(folder, VocabularyFiles.VocabularyName))
            ? TokenizerJson.Open(Path.Combine(folder, TokenizerJson.FileName), vocabularySize, special)
            : VocabularyFiles.Open(folder, vocabularySize, special);
    }
}
