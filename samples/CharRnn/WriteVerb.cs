using System.CommandLine;

namespace CharRnn;

/// <summary><c>write</c>: lets a model write.</summary>
internal static class WriteVerb
{
    public static Command Create()
    {
        Option<FileInfo> checkpoint = Verbs.Checkpoint();
        Option<int> length = Verbs.Count("--length", "Characters to write.", 1000);
        Option<double> temperature = Verbs.Temperature();
        Option<ulong> seed = Verbs.DrawSeed();
        var prompt = new Option<string?>("--prompt") { Description = "The beginning; without it, the model's first character." };
        var command = new Command("write", "Lets a trained model write.") { checkpoint, length, temperature, seed, prompt };
        command.SetWork((parsed, interrupted) =>
        {
            CharacterModel model = CheckpointMetadata.LoadModel(parsed.GetValue(checkpoint)!.FullName);
            string beginning = parsed.GetValue(prompt) is { Length: > 0 } given ? given : model.Alphabet[..1];
            Console.WriteLine(new CharacterReader(model)
                .Write(beginning, parsed.GetValue(length), parsed.GetValue(temperature), parsed.GetValue(seed), interrupted));
            return interrupted.IsCancellationRequested ? Verbs.Interrupted : Verbs.Done;
        });
        return command;
    }
}
