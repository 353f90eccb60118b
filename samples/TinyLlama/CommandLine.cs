using System.CommandLine;

namespace TinyLlama;

/// <summary>What the program is asked for in words, and the commands that answer.</summary>
internal static class CommandLine
{
    // What an interrupt may take to be answered: a layer of a long prompt, or the packing of a matrix.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs the program.</summary>
    /// <param name="args">The words.</param>
    /// <param name="openOutput">Where a generated text goes.</param>
    /// <param name="output">Tables.</param>
    /// <param name="errors">What went wrong, in a line, and what a run took.</param>
    /// <returns>0; 1 for words or files that are not as they should be; 130 for an interrupt.</returns>
    public static Task<int> RunAsync(string[] args, Func<Stream> openOutput, TextWriter output, TextWriter errors)
    {
        var modelPath = PathArgument("model", "A checkpoint of llama2.c (legacy, version 1 or 2), or a folder of Hugging Face.");
        var tokenizerPath = PathArgument("tokenizer", "Its tokenizer: a file of llama2.c, or the folder again.");
        var context = new Option<int>("--context")
        {
            Description = "Tokens that there is room for, if the model allows them.",
            DefaultValueFactory = _ =>
            2048
        };
        var textPath = PathArgument("text", "The text to be predicted.");
        var weights = Choice("--weights", "How matrices are kept.", Spellings.Weights);
        var attention = Choice("--attention", "Which tokens are attended to.", Spellings.Attention);
        var keyValues = Choice("--kv", "How keys and values are kept.", Spellings.KeyValues);
        var activations = Choice("--activations", "What weights of four bits are multiplied with.", Spellings.Activations);
        var keep = new Option<double>("--keep")
        {
            Description = "The share of the context that sparse attention keeps; 1 for all.",
            DefaultValueFactory = _ =>
            0.25
        };
        var keepHeads = new Option<double>("--keep-heads") { Description = "The share of the heads that SpAtten keeps.", DefaultValueFactory = _ => 1 };
        var calibration = new Option<string?>("--calibration") { Description = "A text that the model knows, for GPTQ; better not the one of eval." };
        var prompt = new Option<string>("--prompt") { Description = "The beginning of the text.", DefaultValueFactory = _ => "" };
        var steps = new Option<int>("--steps") { Description = "Tokens in all.", DefaultValueFactory = _ => 200 };
        var temperature = new Option<double>("--temperature") { Description = "0 takes the likeliest token.", DefaultValueFactory = _ => 0 };
        var topK = new Option<int>("--top-k") { Description = "Draw among so many tokens; 0 for all.", DefaultValueFactory = _ => 0 };
        var topP = new Option<double>("--top-p") { Description = "Draw among the tokens of this probability together.", DefaultValueFactory = _ => 1 };
        var seed = new Option<int>("--seed") { Description = "Of the draws, or of the weights.", DefaultValueFactory = _ => 1 };
        var chunk = new Option<int>("--chunk")
        {
            Description = "Tokens that are read at a time; 1 is how text is generated.",
            DefaultValueFactory = _ =>
            Evaluation.DefaultChunk
        };
        var plot = new Option<string?>("--plot") { Description = "An SVG file for perplexity against speed." };
        var shape = new Option<string>("--shape")
        {
            Description = $"The sizes: {string.Join(", ", SyntheticModel.Shapes.Keys)}.",
            DefaultValueFactory = _ =>
            "1b"
        };
        foreach (Option<double> share in new[] { keep, keepHeads, topP })
            Require(share, value => value is > 0 and <= 1, "a number above 0 and up to 1 is needed");
        foreach (Option<int> count in new[] { context, steps, chunk })
            Require(count, value => value > 0, "a number above 0 is needed");
        Require(temperature, value => value == 0 || (value > 0 && double.IsFinite(value) && double.IsFinite(1 / value)),
            "0, or a number that has a reciprocal is needed");
        Require(topK, value => value >= 0, "a number from 0 on is needed");
        shape.AcceptOnlyFromAmong([.. SyntheticModel.Shapes.Keys]);
        var newTokenizer = new Argument<string?>("tokenizer") { Description = "A tokenizer to go with it.", DefaultValueFactory = _ => null };

        var generate = new Command("generate", "Writes a text.") { modelPath, tokenizerPath, context, weights, attention, keyValues, activations, keep,
            keepHeads, calibration, prompt, steps, temperature, topK, topP, seed };
        SetAction(generate, errors, (parsed, interrupted) =>
        {
            using Stream text = openOutput();
            var settings = new GenerationSettings(
                parsed.GetValue(prompt)!, parsed.GetValue(steps), parsed.GetValue(temperature), parsed.GetValue(topK), parsed.GetValue(topP),
                parsed.GetValue(seed), parsed.GetValue(calibration));
            Commands.Generate(Files(parsed), Ways(parsed)[0], settings, text, errors, interrupted);
        });
        var evaluate = new Command("eval", "Says how well the model predicts a text, and how fast, for every combination asked for.") { modelPath,
            tokenizerPath, textPath, context, weights, attention, keyValues, activations, keep, keepHeads, calibration, chunk, plot };
        SetAction(evaluate, errors, (parsed, interrupted) =>
            Commands.Evaluate(Files(parsed), Ways(parsed), parsed.GetValue(textPath)!, parsed.GetValue(calibration), parsed.GetValue(chunk),
            parsed.GetValue(plot), output, interrupted));
        var makeModel = new Command("make-model", "Writes a checkpoint with random weights, in the layers of a well-known model.") { modelPath, newTokenizer,
            shape, seed };
        SetAction(makeModel, errors, (parsed, interrupted) =>
            Commands.MakeModel(parsed.GetValue(modelPath)!, parsed.GetValue(newTokenizer), SyntheticModel.Shapes[parsed.GetValue(shape)!],
            parsed.GetValue(seed), output, interrupted));
        return new RootCommand("A small Llama.") { generate, evaluate, makeModel }.Parse(args)
            .InvokeAsync(new() { ProcessTerminationTimeout = s_patience, Output = output, Error = errors });

        ModelFiles Files(ParseResult parsed) => new(parsed.GetValue(modelPath)!, parsed.GetValue(tokenizerPath)!, parsed.GetValue(context));

        LlamaOptions[] Ways(ParseResult parsed) =>
        [
            .. from kind in parsed.GetValue(weights)!
               from tokens in parsed.GetValue(attention)!
               from stored in parsed.GetValue(keyValues)!
               from factors in parsed.GetValue(activations)!
               select new LlamaOptions(Spellings.Weights.ValueOf(kind), Spellings.Attention.ValueOf(tokens), Spellings.KeyValues.ValueOf(stored),
                   parsed.GetValue(keep))
               {
                   KeepHeads = parsed.GetValue(keepHeads),
                   Arithmetic = Spellings.Activations.ValueOf(factors),
               },
        ];
    }

    private static Argument<string> PathArgument(string name, string description) => new(name) { Description = description };

    private static Option<string[]> Choice<T>(string name, string description, Spellings<T> spellings) where T : notnull =>
        new Option<string[]>(name)
        {
            Description = description,
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ =>
        [spellings.Names[0]]
        }.AcceptOnlyFromAmong(spellings.Names);

    private static void Require<T>(Option<T> option, Predicate<T> holds, string reason) => option.Validators.Add(result =>
    {
        try
        {
            if (!holds(result.GetValueOrDefault<T>()))
                result.AddError($"{option.Name} {result.GetValueOrDefault<T>()}: {reason}");
        }
        catch (InvalidOperationException unreadable)
        {
            // The words are no value of the type.
            result.AddError(unreadable.Message);
        }
    });

    // On a thread of its own, so that an interrupt is heard meanwhile.
    private static void SetAction(Command command, TextWriter errors, Action<ParseResult, CancellationToken> run) =>
        command.SetAction((parsed, interrupted) => Task.Run(() => Commands.Run(() => run(parsed, interrupted), errors)));
}
