using System.CommandLine;
using System.Globalization;

namespace CharRnn;

/// <summary><c>quantize</c>: compares a model with its quantised forms.</summary>
internal static class QuantizeVerb
{
    public static Command Create()
    {
        Argument<FileInfo?> file = Verbs.Text();
        Option<FileInfo> checkpoint = Verbs.Checkpoint();
        Option<int> length = Verbs.Count("--length", "Characters of each sample.", 300);
        Option<double> temperature = Verbs.Temperature();
        Option<ulong> seed = Verbs.DrawSeed();
        var command = new Command("quantize", "Compares a trained model in f32, int8 and u4 on held-out text.") { file, checkpoint, length, temperature, seed };
        command.SetWork((parsed, interrupted) =>
        {
            CharacterModel model = CheckpointMetadata.LoadModel(parsed.GetValue(checkpoint)!.FullName);
            Corpus corpus = Verbs.ReadCorpus(parsed.GetValue(file), model.Alphabet);
            var sample = new WeightSamples(corpus.Prompt, parsed.GetValue(length), parsed.GetValue(temperature), parsed.GetValue(seed));
            WeightRow[] rows = WeightComparison.Run(model, corpus, sample, interrupted: interrupted);
            Console.WriteLine("matrices              bits/char      bytes    reads char/s   writes char/s");
            foreach (WeightRow row in rows)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{row.Name,-21} {row.BitsPerCharacter,9:0.0000} {row.ByteCount,10:N0} {row.CharactersReadPerSecond,15:N0} " +
                    $"{row.CharactersWrittenPerSecond,15:N0}"));
            foreach (WeightRow row in rows)
                Console.WriteLine($"\n--- {row.Name}\n{row.Sample}");
            return Verbs.Done;
        });
        return command;
    }
}
