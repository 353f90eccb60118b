using System.Text;
using System.Xml.Linq;
using TinyLlama;

namespace Kernels.Tests;

/// <summary>The commands of the sample model: what they write, and that an interrupt leaves neither half files nor ugly messages.</summary>
public sealed class LlamaCommandTests : IDisposable
{
    private static readonly GenerationSettings s_settings = new("t7 t8", Steps: 40, Temperature: 0, TopK: 0, TopP: 1, Seed: 1, CalibrationText: null);

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _interrupt = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _folder.Dispose();
        _interrupt.Dispose();
        _errors.Dispose();
    }

    [Fact]
    public void NamesAreSpeltAsDocumented()
    {
        Assert.Equal(["f32", "int8", "u4g32", "u4g32-gptq", "u4g128", "u4g128-gptq", "stored"], Spellings.Weights.Names);
        Assert.Equal(["dense", "tokenselect", "spatten", "h2o", "blocksparse"], Spellings.Attention.Names);
        Assert.Equal(["f32", "f16", "bf16", "int8"], Spellings.KeyValues.Names);
        Assert.Equal(WeightKind.U4G128Gptq, Spellings.Weights.ValueOf("u4g128-gptq"));
        Assert.Equal("blocksparse", Spellings.Attention.NameOf(AttentionKind.BlockSparse));
    }

    [Theory]
    [InlineData(true, (int)WeightKind.U4G128)]
    [InlineData(false, (int)WeightKind.F32)]
    public void AMadeModelIsTheSameForItsSeedAndRuns(bool sharesClassifier, int kind)
    {
        LlamaShape shape = LlamaCases.Small with { SharesClassifier = sharesClassifier };
        string first = _folder.File("model.bin"), second = _folder.File("second.bin");
        Assert.Equal(0, Commands.Run(() => Commands.MakeModel(first, _folder.File("tokenizer.bin"), shape, seed: 1, TextWriter.Null, default), _errors));
        Commands.MakeModel(second, null, shape, seed: 1, TextWriter.Null, default);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        var files = new ModelFiles(first, _folder.File("tokenizer.bin"));
        using var output = new MemoryStream();
        using var report = new StringWriter();
        Commands.Generate(files, LlamaCases.Dense with { Weights = (WeightKind)kind }, s_settings, output, report, default);
        Assert.StartsWith("t7 t8", Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal);
        Assert.All((string[])["tokens/s", "bytes of weights a token", "% of the", "of checkpoint mapped", "MB resident"], part =>
            Assert.Contains(part, report.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void EvaluationListsAndDrawsEveryWay()
    {
        ModelFiles files = LlamaCases.Random(_folder);
        string text = Text(), plot = _folder.File("plot.svg");
        LlamaOptions[] ways =
        [
            .. from kind in new[] { WeightKind.F32, WeightKind.Int8, WeightKind.U4G32Gptq }
               from stored in new[] { KeyValueType.Float32, KeyValueType.Int8 }
               select LlamaCases.Dense with { Weights = kind, KeyValues = stored },
        ];
        using var output = new StringWriter();
        Assert.Equal(1, Commands.Run(() => Commands.Evaluate(files, ways, text, null, 64, plot, TextWriter.Null, default), _errors));
        Assert.Contains("--calibration", _errors.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(plot));
        Commands.Evaluate(files, ways, text, text, 64, plot, output, default);
        string[] lines = output.ToString().TrimEnd().ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(1 + ways.Length, lines.Length);
        Assert.Matches(@"^u4g32-gptq +dense +int8 +f32 +\d+\.\d{4} +\d+ +\d+$", lines[^1]);
        string[] labels = [.. XDocument.Load(plot).Descendants().Select(element => element.Value)];
        Assert.All(ways, way => Assert.Contains($"{Spellings.Weights.NameOf(way.Weights)} {Spellings.KeyValues.NameOf(way.KeyValues)}", labels));
    }

    [Fact]
    public void AnInterruptEndsGenerationAtTheNextToken()
    {
        ModelFiles files = LlamaCases.Random(_folder);
        using var output = new InterruptingStream(_interrupt);
        AssertInterrupted(() => Commands.Generate(files, LlamaCases.Dense, s_settings with { Prompt = "" }, output, TextWriter.Null, _interrupt.Token));
        Assert.Equal(1, output.Writes);
    }

    [Fact]
    public void AnInterruptEndsPackingAndEvaluationWithoutAPlot()
    {
        ModelFiles files = LlamaCases.Random(_folder);
        string text = Text(), plot = _folder.File("plot.svg");
        string[] before = _folder.FileNames;
        _interrupt.Cancel();
        AssertInterrupted(() => Commands.Generate(files, LlamaCases.Dense with { Weights = WeightKind.Int8 }, s_settings, Stream.Null, TextWriter.Null,
            _interrupt.Token));
        using var output = new StringWriter();
        AssertInterrupted(() => Commands.Evaluate(files, [LlamaCases.Dense], text, null, 64, plot, output, _interrupt.Token));
        Assert.Equal(before, _folder.FileNames);
    }

    [Fact]
    public void AnInterruptLeavesNoHalfModel()
    {
        _interrupt.Cancel();
        AssertInterrupted(() => Commands.MakeModel(_folder.File("model.bin"), _folder.File("tokenizer.bin"), LlamaCases.Small, 1, TextWriter.Null,
            _interrupt.Token));
        Assert.Empty(_folder.FileNames);
    }

    private string Text()
    {
        string path = _folder.File("text.txt");
        File.WriteAllText(path, string.Join(' ', Enumerable.Range(0, 120).Select(i => $"t{i * 7 % 40}")));
        return path;
    }

    private void AssertInterrupted(Action command)
    {
        using var errors = new StringWriter();
        Assert.Equal(Commands.Interrupted, Commands.Run(command, errors));
        Assert.Equal("interrupted", errors.ToString().Trim());
    }

    // Interrupts at the first write.
    private sealed class InterruptingStream(CancellationTokenSource interrupt) : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Writes++;
            interrupt.Cancel();
        }
    }
}
