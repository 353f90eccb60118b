namespace TinyLlama;

/// <summary>Opens checkpoints by what they are.</summary>
internal static class Checkpoint
{
    /// <summary>Opens a checkpoint of Hugging Face (a folder, a safetensors file or an index) or else one of llama2.c.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="longestContext">Cuts the context of Hugging Face's models, which often allow more than there is memory for.</param>
    public static ICheckpoint Open(string path, int longestContext) =>
        Directory.Exists(path) || Path.GetExtension(path) is ".safetensors" or ".json" ? new HuggingFaceCheckpoint(path, longestContext) : new Llama2CheckpointFile(path);
}
