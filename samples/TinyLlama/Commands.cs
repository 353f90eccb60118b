using System.Globalization;
using System.Text;
using Kernels.Core.Tensors;

namespace TinyLlama;

/// <summary>What to write.</summary>
internal sealed record GenerationSettings(string Prompt, int Steps, double Temperature, int TopK, double TopP, int Seed, string? CalibrationText);

/// <summary>The commands of the program, once the command line is understood.</summary>
internal static class Commands
{
    /// <summary>The exit code of a program that was interrupted: 128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    private const double Giga = 1e9, Mega = 1e6;

    /// <summary>Runs a command; says in one line why it failed, or that it was interrupted.</summary>
    public static int Run(Action command, TextWriter errors)
    {
        try
        {
            command();
            return 0;
        }
        catch (OperationCanceledException)
        {
            errors.WriteLine("\ninterrupted");
            return Interrupted;
        }
        catch (Exception failure) when (Faults.IsOfInput(failure))
        {
            errors.WriteLine(Faults.OneLine(failure));
            return 1;
        }
    }

    /// <summary>Writes a text to a stream, and what it took to another.</summary>
    public static void Generate(ModelFiles files, LlamaOptions options, GenerationSettings settings, Stream output, TextWriter report,
        CancellationToken interrupted)
    {
        using ICheckpoint checkpoint = files.OpenModel();
        ITokenizer tokenizer = files.OpenTokenizer(checkpoint.Shape);
        Calibration? calibration = Calibrate(checkpoint, tokenizer, [options], settings.CalibrationText);
        using LlamaModel model = LlamaModel.Load(files.OpenModel, options, calibration, interrupted);
        var sampler = new Sampler(settings.Temperature, settings.TopK, settings.TopP, settings.Seed);
        GenerationReport run = Generation.Run(model, tokenizer, sampler, settings.Prompt, settings.Steps, output, interrupted);
        (long resident, long managed) = (Environment.WorkingSet, GC.GetTotalMemory(forceFullCollection: false));
        double roof = ReadBandwidth.Measure();
        report.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n{run.NewTokens} tokens at {run.TokensPerSecond:F1} tokens/s, {run.PromptTokens} of the prompt in {run.PromptTime.TotalSeconds:F2} s"));
        report.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{run.BytesPerToken} bytes of weights a token, {run.BytesPerSecond / Giga:F1} GB/s, {100 * run.BytesPerSecond / roof:F0} % of the " +
            $"{roof / Giga:F1} GB/s that reading reaches here"));
        report.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{checkpoint.MappedBytes / Mega:F1} MB of checkpoint mapped, {model.CacheBytes / Mega:F1} MB of keys and values, {resident / Mega:F1} MB " +
            $"resident, {managed / Mega:F1} MB of them on the managed heap"));
    }

    /// <summary>Writes a line for each way of running the model, and draws them.</summary>
    public static void Evaluate(ModelFiles files, IReadOnlyList<LlamaOptions> ways, string text, string? calibrationText, int chunk, string? plot,
        TextWriter output, CancellationToken interrupted)
    {
        using ICheckpoint checkpoint = files.OpenModel();
        ITokenizer tokenizer = files.OpenTokenizer(checkpoint.Shape);
        int[] tokens = tokenizer.Encode(File.ReadAllText(text));
        Calibration? calibration = Calibrate(checkpoint, tokenizer, ways, calibrationText);
        var table = new EvaluationTable();
        output.WriteLine(EvaluationTable.Heading);
        foreach (LlamaOptions way in ways)
        {
            using LlamaModel model = LlamaModel.Load(files.OpenModel, way, calibration, interrupted);
            EvaluationResult result = Evaluation.Run(model, tokens, interrupted, chunk, tokenizer.Before.Length);
            table.Add(way, result);
            output.WriteLine(EvaluationTable.Line(way, result));
        }
        if (plot is null)
            return;
        using var file = new AtomicFile(plot);
        RandomAccess.Write(file.Handle, Encoding.UTF8.GetBytes(table.Plot()), 0);
        file.Commit();
    }

    /// <summary>Writes a model with random weights, and a tokenizer for it if a path is given.</summary>
    public static void MakeModel(string model, string? tokenizer, LlamaShape shape, int seed, TextWriter output, CancellationToken interrupted)
    {
        SyntheticModel.Write(model, shape, seed, interrupted);
        if (tokenizer is not null)
            SyntheticModel.WriteTokenizer(tokenizer, shape.VocabularySize);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}: {new FileInfo(model).Length / Mega:F1} MB"));
    }

    private static Calibration? Calibrate(ICheckpoint checkpoint, ITokenizer tokenizer, IReadOnlyList<LlamaOptions> ways, string? text)
    {
        if (!ways.Any(way => WeightMatrix.NeedsCalibration(way.Weights)))
            return null;
        return text is null ? throw new InvalidDataException("--calibration TEXT is needed to pack with GPTQ")
            : Calibration.Of(checkpoint, tokenizer.Encode(File.ReadAllText(text)));
    }
}
