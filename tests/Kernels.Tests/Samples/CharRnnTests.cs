using System.Xml.Linq;
using CharRnn;
using Kernels.Core.Tensors;
using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>The sample that trains: it learns with every solver, stops and goes on without a trace, and refuses files that are not its own.</summary>
public sealed class CharRnnTests
{
    // A fourth of the sample's own text, and small batches: these tests run without SIMD as well.
    private static readonly Corpus s_stories = new(StoryGrammar.Write(100_000, seed: 1, out _));

    private static readonly TrainingPlan s_plan = new(SequenceCount: 8, Length: 32, Rate: 2e-2);

    private static TrainingRun Small(CellKind cell = CellKind.Gru, int hidden = 32, int layers = 1) =>
        new(new ModelShape(cell, hidden, layers), s_stories, s_plan, seed: 1);

    private static void Steps(TrainingRun run, int count)
    {
        for (int step = 0; step < count; step++)
            run.Step();
    }

    private static int[] Bits(IEnumerable<Parameter> parameters) =>
        [.. parameters.SelectMany(parameter => parameter.Values).Select(BitConverter.SingleToInt32Bits)];

    [Fact]
    public void StoriesAreAlwaysTheSameAndEverythingInThemIsResolved()
    {
        string text = StoryGrammar.Write(20_000, seed: 1, out double bits);
        Assert.Equal(text, StoryGrammar.Write(20_000, seed: 1, out _));
        Assert.NotEqual(text, StoryGrammar.Write(20_000, seed: 2, out _));
        Assert.InRange(text.Length, 20_000, 22_000);
        Assert.DoesNotContain(text, character => "<>$~|=".Contains(character));
        Assert.InRange(bits, 0.1, 0.5);
        // Single letters' frequencies of English text give a little more than four bits.
        Assert.InRange(s_stories.LetterBits, 4, 4.6);
    }

    [Theory]
    [InlineData(CellKind.Gru)]
    [InlineData(CellKind.Lstm)]
    internal void TheModelLearnsTheStoriesWithEverySolver(CellKind cell)
    {
        var runs = new List<TrainingRun>();
        foreach (RnnSolver solver in new[] { RnnSolver.Sequential, RnnSolver.MultipleShooting, RnnSolver.Newton })
        {
            TrainingRun run = Small(cell);
            run.Model.Solver = solver;
            Steps(run, 4 * LossHistory.StepsPerPoint);
            Assert.Equal([50L, 100L, 150L, 200L], run.History.Points.Select(point => point.Step));
            runs.Add(run);
        }
        // 2.7 bits per character after 200 steps of 256 characters: even odds for the alphabet are 5.7, letters' frequencies 4.3. More steps bring much less,
        // but these run without SIMD as well.
        double loss = runs[0].History.Points[^1].HeldOut;
        Assert.InRange(loss, 2.5, 2.9);
        Assert.Equal(Bits(runs[0].Model.Parameters), Bits(runs[1].Model.Parameters));
        // Newton's method ends within its tolerance of the same states, so training takes another path to the same place.
        Assert.NotEqual(Bits(runs[0].Model.Parameters), Bits(runs[2].Model.Parameters));
        Assert.Equal(loss, runs[2].History.Points[^1].HeldOut, 0.05);
    }

    [Fact]
    public void TheLossOfHeldOutTextIsTheMeanOverItsCharacters()
    {
        // By another way: the logits of ever longer beginnings, written in probabilities.
        CharacterModel model = Small().Model;
        var reader = new CharacterReader(model);
        int[] text = s_stories.HeldOut[..600];
        double bits = 0;
        var trainerLike = new float[model.Alphabet.Length * (text.Length - 1)];
        var embedded = new float[(text.Length - 1) * CharacterModel.EmbeddingElements];
        var hidden = new float[(text.Length - 1) * model.Shape.HiddenCount];
        model.Embedding.Forward(text.AsSpan(0, text.Length - 1), embedded);
        model.Layers[0].Forward(embedded, hidden, 1);
        model.Readout.Forward(hidden, trainerLike);
        for (int i = 0; i < text.Length - 1; i++)
        {
            double[] exponentials = [.. trainerLike.Skip(i * model.Alphabet.Length).Take(model.Alphabet.Length).Select(logit => Math.Exp(logit))];
            bits -= Math.Log2(exponentials[text[i + 1]] / exponentials.Sum());
        }
        Assert.Equal(bits / (text.Length - 1), reader.BitsPerCharacter(text), 1e-5);
    }

    [Theory]
    [InlineData(CellKind.Gru)]
    [InlineData(CellKind.Lstm)]
    internal void StoppingAndGoingOnLeavesNoTrace(CellKind cell)
    {
        using var folder = new TemporaryFolder();
        string half = folder.File("half.safetensors"), resumed = folder.File("resumed.safetensors"), through = folder.File("through.safetensors");
        // Not a multiple of the points' distance, so that losses that are no point yet are carried over as well.
        const int steps = 35;
        TrainingRun whole = Small(cell, hidden: 16, layers: 2);
        Steps(whole, steps);
        whole.Save(half);
        Steps(whole, steps);
        whole.Save(through);
        TrainingRun second = TrainingRun.Load(half, alphabet => new Corpus(s_stories.Text, alphabet));
        Assert.False(second.IsOnAnotherText);
        Assert.Equal(steps, second.StepCount);
        Steps(second, steps);
        second.Save(resumed);
        Assert.Equal(Bits(whole.Model.Parameters), Bits(second.Model.Parameters));
        Assert.Equal(File.ReadAllBytes(through), File.ReadAllBytes(resumed));
        Assert.Equal(whole.History.ToString(), second.History.ToString());
        Assert.Single(second.History.Points);
        Assert.Equal(["half.safetensors", "resumed.safetensors", "through.safetensors"], folder.FileNames);
    }

    [Fact]
    public void AnotherTextIsNoticedAndForeignCharactersAreRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model.safetensors");
        Small(hidden: 4).Save(path);
        Assert.True(TrainingRun.Load(path, alphabet => new Corpus(s_stories.Text[..10_000], alphabet)).IsOnAnotherText);
        Assert.Contains("character 2 of the text, U+00E9",
            Assert.Throws<InvalidDataException>(() => TrainingRun.Load(path, alphabet => new Corpus("thé", alphabet))).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => TrainingRun.Load(path, alphabet => new Corpus("too short", alphabet)));
    }

    [Fact]
    public void HostileCheckpointsAreNamedWithWhatIsWrong()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model.safetensors");
        TrainingRun run = Small(hidden: 8, layers: 2);
        run.Save(path);
        (TensorInfo[] tensors, Dictionary<string, float[]> elements, Dictionary<string, string> metadata) = Content(path);

        Assert.Equal("readout.bias", Refused<TensorFileException>("misses", tensors.Where(tensor => tensor.Name != "readout.bias"), metadata).TensorName);
        Assert.Equal("layers.1.recurrent", Refused<TensorFileException>(
            "shape", tensors.Select(tensor => tensor.Name == "layers.1.recurrent" ? new TensorInfo(tensor.Name, TensorType.Float32, 8, 3) : tensor),
            metadata).TensorName);
        Assert.Equal("readout.weight.mean", Refused<TensorFileException>("memory", tensors.Where(tensor => tensor.Name != "readout.weight.mean"),
            metadata).TensorName);
        Assert.Equal("optimizer.steps", Refused<TensorFileException>("steps", tensors.Where(tensor => tensor.Name != "optimizer.steps"), metadata).TensorName);
        Named("no format", "format", null);
        Named("another's", "format", "gguf");
        Named("no cell", "cell", "Transformer");
        Named("cell by number", "cell", "17");
        Named("huge", "hidden", "1000000");
        Named("overflow", "hidden", "99999999999999999999");
        Named("negative", "layers", "-1");
        Named("many layers", "layers", "1000000");
        Named("twice", "alphabet", "aa");
        Named("no history", "history", "1 2 3 4 5");
        Named("random", "random_state", "dice");
        Named("no rate", "rate", "NaN");
        Named("rate below zero", "rate", "-0.01");
        Named("rate without end", "rate", "1e999");
        Named("losses", "history", "1 NaN 2");
        // A word of the header that asks for 2^40 rows.
        Refused<InvalidDataException>("rows", tensors, new(metadata) { ["sequences"] = "1048576", ["length"] = "50000" });
        elements["readout.weight"][3] = float.NaN;
        Assert.Contains("readout.weight", Refused<InvalidDataException>("nan", tensors, metadata).Message, StringComparison.Ordinal);
        string cut = folder.File("cut.safetensors");
        File.WriteAllBytes(cut, File.ReadAllBytes(path)[..^9]);
        Assert.Contains(cut, Assert.Throws<TensorFileException>(() => CheckpointMetadata.LoadModel(cut)).Message, StringComparison.Ordinal);

        void Named(string name, string key, string? value)
        {
            var changed = new Dictionary<string, string>(metadata);
            if (value is null)
                changed.Remove(key);
            else
                changed[key] = value;
            Assert.Contains(key, Refused<InvalidDataException>(name, tensors, changed).Message, StringComparison.Ordinal);
        }

        TException Refused<TException>(string name, IEnumerable<TensorInfo> declared, Dictionary<string, string> strings) where TException : Exception
        {
            string file = folder.File(name);
            using (SafetensorsWriter writer = SafetensorsWriter.Create(file, declared, strings))
            {
                foreach (TensorInfo tensor in declared)
                {
                    if (tensor.Type == TensorType.Float32)
                        writer.Write<float>(tensor.Name, elements[tensor.Name]);
                    else if (tensor.Type == TensorType.Float64)
                        writer.Write<double>(tensor.Name, [0.01]);
                    else
                        writer.Write<long>(tensor.Name, [1]);
                }
                writer.Commit();
            }
            TException exception = Assert.Throws<TException>(() => TrainingRun.Load(file, alphabet => new Corpus(s_stories.Text, alphabet)));
            Assert.Contains(file, exception.Message, StringComparison.Ordinal);
            return exception;
        }
    }

    private static (TensorInfo[] Tensors, Dictionary<string, float[]> Elements, Dictionary<string, string> Metadata) Content(string path)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        return ([.. reader.Tensors], reader.Tensors.Where(tensor => tensor.Type == TensorType.Float32)
            .ToDictionary(tensor => tensor.Name, tensor => reader.Elements<float>(tensor.Name).ToArray()), reader.Metadata.ToDictionary());
    }

    [Fact]
    public void AWriteThatFailsHalfWayLeavesWhatWasThere()
    {
        using var folder = new TemporaryFolder();
        string plot = folder.File("loss.svg");
        LossPlot.Save(plot, [new(50, 3.2, 3.1)]);
        string old = File.ReadAllText(plot);
        using (var file = new AtomicFile(plot))
            RandomAccess.Write(file.Handle, "new, but only ha"u8, 0);
        Assert.Equal(old, File.ReadAllText(plot));
        Assert.Equal(["loss.svg"], folder.FileNames);

        string checkpoint = folder.File("model.safetensors");
        TrainingRun run = Small(hidden: 8);
        run.Save(checkpoint);
        byte[] before = File.ReadAllBytes(checkpoint);
        // As when the program ends between two tensors.
        using (SafetensorsWriter writer = SafetensorsWriter.Create(checkpoint,
            run.Model.Parameters.Select(parameter => new TensorInfo(parameter.Name, TensorType.Float32, [.. parameter.Shape]))))
        {
            writer.Write<float>(run.Model.Parameters[0].Name, run.Model.Parameters[0].Values);
            Assert.Equal(before, File.ReadAllBytes(checkpoint));
            Assert.Throws<InvalidOperationException>(writer.Commit);
        }
        Assert.Equal(before, File.ReadAllBytes(checkpoint));
        Assert.Equal(["loss.svg", "model.safetensors"], folder.FileNames);
    }

    [Fact]
    public void AStepAtRateZeroChangesNothing()
    {
        TrainingRun run = Small(hidden: 8);
        Steps(run, 3);
        int[] before = Bits(run.Model.Parameters);
        run.Step(rateShare: 0);
        Assert.Equal(before, Bits(run.Model.Parameters));
        run.Step(rateShare: 0.5);
        Assert.NotEqual(before, Bits(run.Model.Parameters));
    }

    [Fact]
    public void ALostModelIsNotSaved()
    {
        TrainingRun run = Small(hidden: 8);
        run.Step();
        run.Model.Readout.Biases.Values[0] = float.NaN;
        Assert.Contains("the loss of step 2 is NaN", Assert.Throws<InvalidDataException>(() => run.Step()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void QuantisedFormsKeepWhatWasLearned()
    {
        TrainingRun run = Small(hidden: 64, layers: 2);
        Steps(run, 200);
        WeightRow[] rows = WeightComparison.Run(run.Model, s_stories, new WeightSamples(s_stories.Prompt, Length: 40, Temperature: 0.7, Seed: 1), rounds: 1);
        Assert.Equal(["f32", "int8", "u4, round to nearest", "u4, GPTQ"], rows.Select(row => row.Name));
        (WeightRow exact, WeightRow int8, WeightRow nearest, WeightRow gptq) = (rows[0], rows[1], rows[2], rows[3]);
        Assert.InRange(exact.BitsPerCharacter, 1, 2.5);
        Assert.InRange(int8.BitsPerCharacter / exact.BitsPerCharacter, 0.99, 1.01);
        Assert.InRange(nearest.BitsPerCharacter / exact.BitsPerCharacter, 1, 1.1);
        Assert.True(gptq.BitsPerCharacter < nearest.BitsPerCharacter, $"{gptq.BitsPerCharacter} < {nearest.BitsPerCharacter}");
        // A byte for each weight and 8 for each output, at least a fourth of that more by padding; half a byte, and 2 for a group of 32.
        Assert.InRange((double)int8.ByteCount / exact.ByteCount, 0.25, 0.35);
        Assert.InRange((double)nearest.ByteCount / exact.ByteCount, 0.125, 0.2);
        Assert.All(rows, row => Assert.StartsWith(s_stories.Prompt, row.Sample, StringComparison.Ordinal));
        Assert.All(rows, row => Assert.Equal(s_stories.Prompt.Length + 40, row.Sample.Length));
        // The float form computes what the reader of the weights in training does.
        Assert.Equal(new CharacterReader(run.Model).BitsPerCharacter(s_stories.HeldOut), exact.BitsPerCharacter);
        Assert.Equal(new CharacterReader(run.Model).Write("O", 50, 0, 1), new CharacterReader(run.Model).Write("O", 50, 0, 2));
    }

    [Fact]
    public void ThePlotIsWellFormed()
    {
        XDocument plot = XDocument.Parse(LossPlot.Draw([new(50, 3.2, 3.1), new(100, 2.5, 2.6), new(150, 2.1, 2.4)]));
        XNamespace svg = "http://www.w3.org/2000/svg";
        string[] labels = [.. plot.Descendants(svg + "text").Select(text => text.Value)];
        Assert.Contains("2", labels);
        Assert.Contains("100", labels);
        Assert.Contains("training text, 2.100 at the end", labels);
        Assert.Equal(2, plot.Descendants(svg + "polyline").Count());
    }

    [SkippableTheory]
    [InlineData(RnnSolver.Sequential)]
    [InlineData(RnnSolver.MultipleShooting)]
    [InlineData(RnnSolver.Newton)]
    public void TheModelLearnsShakespeare(RnnSolver solver)
    {
        var corpus = new Corpus(File.ReadAllText(SharedData.Find("text/tinyshakespeare.txt"))[..100_000]);
        var run = new TrainingRun(new ModelShape(CellKind.Gru, 32, 1), corpus, s_plan, seed: 1);
        run.Model.Solver = solver;
        Steps(run, 200);
        // Even odds for 61 characters are 5.9 bits, single letters' frequencies 4.8.
        Assert.InRange(run.History.Points[^1].HeldOut, 2, 3.8);
    }
}
