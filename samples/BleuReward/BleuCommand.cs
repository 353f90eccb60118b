using System.Globalization;

namespace BleuReward;

/// <summary>The program: scores or a training, or one line that says why not.</summary>
internal static class BleuCommand
{
    public static int Run(string[] arguments, TextReader input, TextWriter output, TextWriter errors, CancellationToken interrupted)
    {
        try
        {
            switch (arguments)
            {
                case ["score"]:
                    return JsonLineScores.Write(input, "standard input", output, interrupted);
                case ["score", var path]:
                    using (var file = new StreamReader(path))
                        return JsonLineScores.Write(file, path, output, interrupted);
                case ["learn"]:
                    return CopyPolicy.Train(seed: 1, output, interrupted);
                case ["learn", var seed]:
                    return CopyPolicy.Train(Seed(seed), output, interrupted);
                default:
                    errors.WriteLine("usage: BleuReward score [pairs.jsonl], or BleuReward learn [seed]");
                    return 1;
            }
        }
        catch (OperationCanceledException)
        {
            errors.WriteLine("interrupted");
            return 130;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
            or OverflowException or OutOfMemoryException)
        {
            errors.WriteLine(exception.Message.ReplaceLineEndings(" "));
            return 1;
        }
    }

    private static int Seed(string word) =>
        int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int seed) ? seed
        : throw new InvalidDataException($"the seed '{word}' is no integer of 32 bits");
}
