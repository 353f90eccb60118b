using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;

namespace CharRnn;

/// <summary>What the verbs share.</summary>
internal static class Verbs
{
    public const int Done = 0, BadInput = 1, Interrupted = 130;

    public const double StandardTemperature = 0.5;

    // Without replacements: a file that is no text is said to be none.
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Argument<FileInfo?> Text() =>
        new("file") { Description = "A text in UTF-8; without one, stories that this program makes itself.", Arity = ArgumentArity.ZeroOrOne };

    public static Option<FileInfo> Checkpoint()
    {
        var option = new Option<FileInfo>("--checkpoint")
        {
            Description = "The model, a .safetensors file.",
            DefaultValueFactory = _ =>
            new FileInfo("char-rnn.safetensors")
        };
        option.Validators.Add(RefuseMissingFolder);
        return option;
    }

    /// <summary>Refuses a file whose folder does not exist, before work is done that could not be saved.</summary>
    public static void RefuseMissingFolder(OptionResult given)
    {
        if (given.GetValueOrDefault<FileInfo?>() is { Directory.Exists: false } file)
            given.AddError($"{given.Option.Name} {file}: the folder does not exist");
    }

    public static Option<ulong> DrawSeed() => new("--seed") { Description = "The seed of the draws.", DefaultValueFactory = _ => 1 };

    public static Option<double> Temperature()
    {
        var option = new Option<double>("--temperature")
        {
            Description = "0 takes the likeliest character, 1 draws by the model's own probabilities.",
            DefaultValueFactory = _ => StandardTemperature
        };
        option.Validators.Add(given =>
        {
            if (!(given.GetValueOrDefault<double>() is >= 0 and < double.PositiveInfinity))
                given.AddError("--temperature: a finite number of at least 0 is needed");
        });
        return option;
    }

    /// <summary>An option that takes whole numbers from 1 on.</summary>
    public static Option<int> Count(string name, string description, int standard)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => standard };
        option.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() is < 1 or > CheckpointMetadata.LargestCount)
                given.AddError($"{name}: a whole number from 1 to {CheckpointMetadata.LargestCount} is needed");
        });
        return option;
    }

    public static Corpus ReadCorpus(FileInfo? file, string? alphabet)
    {
        if (file is null)
            return Corpus.Stories(alphabet);
        try
        {
            return new Corpus(File.ReadAllText(file.FullName, s_strictUtf8), alphabet);
        }
        catch (Exception exception) when (exception is InvalidDataException or DecoderFallbackException)
        {
            throw new InvalidDataException($"{file.FullName}: {exception.Message}");
        }
    }

    /// <summary>Says in one line what is wrong.</summary>
    public static int Refuse(string reason)
    {
        Console.Error.WriteLine(reason.ReplaceLineEndings(" "));
        return BadInput;
    }

    /// <summary>
    /// Gives a verb its work. It runs on a thread of its own, so that Ctrl-C reaches it, and what is wrong with files or sizes becomes one line.
    /// </summary>
    public static void SetWork(this Command command, Func<ParseResult, CancellationToken, int> work) =>
        command.SetAction((parsed, interrupted) => Task.Run(() =>
    {
        try
        {
            return work(parsed, interrupted);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Interrupted.");
            return Interrupted;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or FormatException or UnauthorizedAccessException
            or ArgumentException or OverflowException or OutOfMemoryException)
        {
            return Refuse(exception.Message);
        }
    }));
}
