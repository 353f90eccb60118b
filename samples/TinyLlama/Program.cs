// A small Llama on the kernels of this library.
//
//   dotnet run -c Release --project samples/TinyLlama -- generate model.bin tokenizer.bin --prompt "Once upon a time"
//   dotnet run -c Release --project samples/TinyLlama -- eval model.bin tokenizer.bin text.txt
//
// model.bin is a checkpoint of llama2.c, for example stories260K.bin with tok512.bin. Checkpoints of Hugging Face are folders, which hold both (config.json, safetensors in
// one file or in shards, in f32, f16, bf16, GPTQ or AWQ, and tokenizer.json or vocab.json with merges.txt):
//
//   dotnet run -c Release --project samples/TinyLlama -- generate Llama-3.2-1B Llama-3.2-1B --weights stored --prompt "Once upon a time"
using System.CommandLine;
using System.Globalization;
using Kernels;
using TinyLlama;

var modelPath = new Argument<FileInfo>("model") { Description = "A checkpoint of llama2.c (legacy, version 1 or 2), or a folder of Hugging Face." };
var tokenizerPath = new Argument<FileInfo>("tokenizer") { Description = "Its tokenizer: a file of llama2.c, or the folder again." };
var textPath = new Argument<FileInfo>("text") { Description = "The text to be predicted." };
var weights = new Option<WeightKind[]>("--weights") { Description = "How matrices are kept: f32, int8, u4g32, u4g32gptq, u4g128, u4g128gptq, stored.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [WeightKind.F32] };
var context = new Option<int>("--context") { Description = "Tokens that a model of Hugging Face has room for, if it allows them.", DefaultValueFactory = _ => 2048 };
var attention = new Option<AttentionKind[]>("--attention") { Description = "dense, tokenselect or h2o.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [AttentionKind.Dense] };
var keyValues = new Option<KeyValueType[]>("--kv") { Description = "float32, float16, bfloat16 or int8.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [KeyValueType.Float32] };
var keep = new Option<double>("--keep") { Description = "The share of the context that sparse attention keeps.", DefaultValueFactory = _ => 0.25 };
var calibrationText = new Option<FileInfo?>("--calibration") { Description = "A text for GPTQ; eval takes its own." };
var prompt = new Option<string>("--prompt") { DefaultValueFactory = _ => "" };
var steps = new Option<int>("--steps") { Description = "Tokens in all.", DefaultValueFactory = _ => 200 };
var temperature = new Option<double>("--temperature") { Description = "0 takes the likeliest token.", DefaultValueFactory = _ => 0 };
var topK = new Option<int>("--top-k") { Description = "Draw among so many tokens; 0 for all.", DefaultValueFactory = _ => 0 };
var topP = new Option<double>("--top-p") { Description = "Draw among the tokens of this probability together.", DefaultValueFactory = _ => 1 };
var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1 };

var generate = new Command("generate", "Writes a text.") { modelPath, tokenizerPath, context, weights, attention, keyValues, keep, calibrationText, prompt, steps, temperature, topK, topP, seed };
generate.SetAction((parsed, interrupted) => Task.FromResult(Guarded(() => Generate(parsed, interrupted))));
var evaluate = new Command("eval", "Says how well the model predicts a text, and how fast, for every combination asked for.") { modelPath, tokenizerPath, textPath, context, weights, attention, keyValues, keep };
evaluate.SetAction((parsed, interrupted) => Task.FromResult(Guarded(() => Evaluate(parsed, interrupted))));
return new RootCommand("A small Llama.") { generate, evaluate }.Parse(args).Invoke();

int Generate(ParseResult parsed, CancellationToken interrupted)
{
    using ICheckpoint checkpoint = Checkpoint.Open(parsed.GetValue(modelPath)!.FullName, parsed.GetValue(context));
    ITokenizer tokenizer = TokenizerFiles.Open(parsed.GetValue(tokenizerPath)!.FullName, checkpoint.Shape.VocabularySize);
    var options = new LlamaOptions(parsed.GetValue(weights)![0], parsed.GetValue(attention)![0], parsed.GetValue(keyValues)![0], parsed.GetValue(keep));
    Calibration? calibration = parsed.GetValue(calibrationText) is { } text ? Calibration.Of(checkpoint, tokenizer.Encode(File.ReadAllText(text.FullName))) : null;
    if (calibration is null && WeightMatrix.NeedsCalibration(options.Weights))
        throw new InvalidDataException("--calibration TEXT is needed to pack with GPTQ");
    using var model = new LlamaModel(checkpoint, options, calibration);
    using Stream output = Console.OpenStandardOutput();
    var sampler = new Sampler(parsed.GetValue(temperature), parsed.GetValue(topK), parsed.GetValue(topP), parsed.GetValue(seed));
    GenerationReport report = Generation.Run(model, tokenizer, sampler, parsed.GetValue(prompt)!, parsed.GetValue(steps), output, interrupted);
    double roof = ReadBandwidth.Measure();
    Console.Error.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"\n{report.TokensPerSecond:F1} tokens/s, {report.BytesPerToken} bytes of weights a token, {report.BytesPerSecond / 1e9:F1} GB/s, {100 * report.BytesPerSecond / roof:F0} % of the read bandwidth measured here; {checkpoint.MappedBytes} bytes mapped"));
    return 0;
}

int Evaluate(ParseResult parsed, CancellationToken interrupted)
{
    using ICheckpoint checkpoint = Checkpoint.Open(parsed.GetValue(modelPath)!.FullName, parsed.GetValue(context));
    ITokenizer tokenizer = TokenizerFiles.Open(parsed.GetValue(tokenizerPath)!.FullName, checkpoint.Shape.VocabularySize);
    int[] tokens = tokenizer.Encode(File.ReadAllText(parsed.GetValue(textPath)!.FullName));
    Calibration? calibration = parsed.GetValue(weights)!.Any(WeightMatrix.NeedsCalibration) ? Calibration.Of(checkpoint, tokens) : null;
    Console.WriteLine("weights     attention    kv        perplexity   tokens/s   bytes/token");
    foreach (WeightKind kind in parsed.GetValue(weights)!)
    {
        foreach (AttentionKind sparse in parsed.GetValue(attention)!)
        {
            foreach (KeyValueType stored in parsed.GetValue(keyValues)!)
            {
                using var model = new LlamaModel(checkpoint, new(kind, sparse, stored, parsed.GetValue(keep)), calibration);
                EvaluationRow row = Evaluation.Run(model, tokens, interrupted);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-11} {sparse,-12} {stored,-9} {row.Perplexity,10:F4} {row.TokensPerSecond,10:F0} {row.BytesPerToken,13}"));
            }
        }
    }
    return 0;
}

static int Guarded(Func<int> run)
{
    try
    {
        return run();
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine("\ninterrupted");
        return 130;
    }
    catch (Exception exception) when (exception is IOException or InvalidDataException or FormatException or UnauthorizedAccessException)
    {
        Console.Error.WriteLine(exception.Message);
        return 1;
    }
}
