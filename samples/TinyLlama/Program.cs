// A small Llama: writes text, and says how well it predicts one and how fast.
//
//   dotnet run -c Release --project samples/TinyLlama -- generate model.bin tokenizer.bin --prompt "Once upon a time"
//   dotnet run -c Release --project samples/TinyLlama -- eval model.bin tokenizer.bin text.txt --weights f32 int8 u4g32 --plot plot.svg
//   dotnet run -c Release --project samples/TinyLlama -- make-model --shape 1b model.bin tokenizer.bin
//
// model.bin is a checkpoint of llama2.c, for example stories260K.bin with tok512.bin; make-model writes one with random weights, to measure speed and memory.
// Hugging Face's checkpoints are folders, which hold both: config.json, safetensors (one file or shards; f32, f16, bf16, GPTQ or AWQ), and tokenizer.json or vocab.json and merges.txt:
//
//   dotnet run -c Release --project samples/TinyLlama -- generate Llama-3.2-1B Llama-3.2-1B --weights stored --prompt "Once upon a time"
using System.CommandLine;
using TinyLlama;

// What an interrupt may take to be answered: a layer of a long prompt, or the packing of a matrix.
var patience = TimeSpan.FromSeconds(20);

var modelPath = new Argument<FileInfo>("model") { Description = "A checkpoint of llama2.c (legacy, version 1 or 2), or a folder of Hugging Face." };
var tokenizerPath = new Argument<FileInfo>("tokenizer") { Description = "Its tokenizer: a file of llama2.c, or the folder again." };
var context = new Option<int>("--context") { Description = "Tokens that a folder's model has room for, if it allows them.", DefaultValueFactory = _ => 2048 };
var textPath = new Argument<FileInfo>("text") { Description = "The text to be predicted." };
var weights = Choice("--weights", "How matrices are kept.", Spellings.Weights);
var attention = Choice("--attention", "Which tokens are attended to.", Spellings.Attention);
var keyValues = Choice("--kv", "How keys and values are kept.", Spellings.KeyValues);
var activations = Choice("--activations", "What weights of four bits are multiplied with.", Spellings.Activations);
var keep = new Option<double>("--keep") { Description = "The share of the context that sparse attention keeps; 1 for all.", DefaultValueFactory = _ => 0.25 };
var keepHeads = new Option<double>("--keep-heads") { Description = "The share of the heads that SpAtten keeps.", DefaultValueFactory = _ => 1 };
var calibration = new Option<FileInfo?>("--calibration") { Description = "A text that the model knows, for GPTQ; better not the one of eval." };
var prompt = new Option<string>("--prompt") { Description = "The beginning of the text.", DefaultValueFactory = _ => "" };
var steps = new Option<int>("--steps") { Description = "Tokens in all.", DefaultValueFactory = _ => 200 };
var temperature = new Option<double>("--temperature") { Description = "0 takes the likeliest token.", DefaultValueFactory = _ => 0 };
var topK = new Option<int>("--top-k") { Description = "Draw among so many tokens; 0 for all.", DefaultValueFactory = _ => 0 };
var topP = new Option<double>("--top-p") { Description = "Draw among the tokens of this probability together.", DefaultValueFactory = _ => 1 };
var seed = new Option<int>("--seed") { Description = "Of the draws, or of the weights.", DefaultValueFactory = _ => 1 };
var chunk = new Option<int>("--chunk") { Description = "Tokens that are read at a time; 1 is how text is generated.", DefaultValueFactory = _ => Evaluation.DefaultChunk };
var plot = new Option<FileInfo?>("--plot") { Description = "An SVG file for perplexity against speed." };
var shape = new Option<string>("--shape") { Description = $"The sizes: {string.Join(", ", SyntheticModel.Shapes.Keys)}.", DefaultValueFactory = _ => "1b" };
foreach (Option<double> share in new[] { keep, keepHeads, topP })
    Require(share, value => value is > 0 and <= 1, "a number above 0 and up to 1 is needed");
foreach (Option<int> count in new[] { context, steps, chunk })
    Require(count, value => value > 0, "a number above 0 is needed");
Require(temperature, value => value >= 0, "a number from 0 on is needed");
Require(topK, value => value >= 0, "a number from 0 on is needed");
shape.AcceptOnlyFromAmong([.. SyntheticModel.Shapes.Keys]);
var newTokenizer = new Argument<FileInfo?>("tokenizer") { Description = "A tokenizer to go with it.", DefaultValueFactory = _ => null };

var generate = new Command("generate", "Writes a text.") { modelPath, tokenizerPath, context, weights, attention, keyValues, activations, keep, keepHeads, calibration, prompt, steps, temperature, topK, topP, seed };
SetAction(generate, (parsed, interrupted) =>
{
    using Stream output = Console.OpenStandardOutput();
    var settings = new GenerationSettings(
        parsed.GetValue(prompt)!, parsed.GetValue(steps), parsed.GetValue(temperature), parsed.GetValue(topK), parsed.GetValue(topP), parsed.GetValue(seed), parsed.GetValue(calibration)?.FullName);
    Commands.Generate(Files(parsed), Ways(parsed)[0], settings, output, Console.Error, interrupted);
});
var evaluate = new Command("eval", "Says how well the model predicts a text, and how fast, for every combination asked for.") { modelPath, tokenizerPath, textPath, context, weights, attention, keyValues, activations, keep, keepHeads, calibration, chunk, plot };
SetAction(evaluate, (parsed, interrupted) =>
    Commands.Evaluate(Files(parsed), Ways(parsed), parsed.GetValue(textPath)!.FullName, parsed.GetValue(calibration)?.FullName, parsed.GetValue(chunk), parsed.GetValue(plot)?.FullName, Console.Out, interrupted));
var makeModel = new Command("make-model", "Writes a checkpoint with random weights, in the layers of a well-known model.") { modelPath, newTokenizer, shape, seed };
SetAction(makeModel, (parsed, interrupted) =>
    Commands.MakeModel(parsed.GetValue(modelPath)!.FullName, parsed.GetValue(newTokenizer)?.FullName, SyntheticModel.Shapes[parsed.GetValue(shape)!], parsed.GetValue(seed), Console.Out, interrupted));
return await new RootCommand("A small Llama.") { generate, evaluate, makeModel }.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = patience });

ModelFiles Files(ParseResult parsed) => new(parsed.GetValue(modelPath)!.FullName, parsed.GetValue(tokenizerPath)!.FullName, parsed.GetValue(context));

LlamaOptions[] Ways(ParseResult parsed) =>
[
    .. from kind in parsed.GetValue(weights)!
       from tokens in parsed.GetValue(attention)!
       from stored in parsed.GetValue(keyValues)!
       from factors in parsed.GetValue(activations)!
       select new LlamaOptions(Spellings.Weights.ValueOf(kind), Spellings.Attention.ValueOf(tokens), Spellings.KeyValues.ValueOf(stored), parsed.GetValue(keep))
       {
           KeepHeads = parsed.GetValue(keepHeads),
           Arithmetic = Spellings.Activations.ValueOf(factors),
       },
];

static Option<string[]> Choice<T>(string name, string description, Spellings<T> spellings) where T : notnull =>
    new Option<string[]>(name) { Description = description, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [spellings.Names[0]] }.AcceptOnlyFromAmong(spellings.Names);

static void Require<T>(Option<T> option, Predicate<T> holds, string reason) => option.Validators.Add(result =>
{
    if (!holds(result.GetValueOrDefault<T>()))
        result.AddError($"{option.Name} {result.GetValueOrDefault<T>()}: {reason}");
});

// On a thread of its own, so that an interrupt is heard meanwhile.
static void SetAction(Command command, Action<ParseResult, CancellationToken> run) =>
    command.SetAction((parsed, interrupted) => Task.Run(() => Commands.Run(() => run(parsed, interrupted), Console.Error)));
