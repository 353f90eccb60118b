using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kernels;
using Kernels.Nn;

namespace CharRnn;

/// <summary>A model in training. It can be saved between any two steps, and goes on from the file as if it had never stopped, bit for bit.</summary>
internal sealed class TrainingRun
{
    private readonly Trainer _trainer;
    private readonly TrainingPlan _plan;
    private readonly string _textHash;

    private TrainingRun(CharacterModel model, Corpus corpus, TrainingPlan plan, ulong randomState, LossHistory history)
    {
        (Model, _plan, History, Prompt) = (model, plan, history, corpus.Prompt);
        _trainer = new Trainer(model, corpus, plan, randomState);
        _textHash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(corpus.Text)));
    }

    /// <summary>Begins a run.</summary>
    public TrainingRun(ModelShape shape, Corpus corpus, TrainingPlan plan, int seed)
        : this(new CharacterModel(shape, corpus.Alphabet, seed), corpus, plan, (ulong)seed, new LossHistory())
    {
    }

    public CharacterModel Model { get; }

    public LossHistory History { get; }

    /// <summary>See <see cref="Corpus.Prompt"/>.</summary>
    public string Prompt { get; }

    public long StepCount => _trainer.Optimizer.StepCount;

    public int CharactersPerStep => _plan.RowCount;

    /// <summary>Whether the checkpoint that it goes on from was made on another text.</summary>
    public bool IsOnAnotherText { get; private set; }

    /// <summary>One step; returns its training loss in bits per character.</summary>
    /// <param name="rateShare">See <see cref="Trainer.Step"/>.</param>
    /// <exception cref="InvalidDataException">The loss is not a number: the model is lost, and nothing of it was saved.</exception>
    public double Step(double rateShare = 1)
    {
        double loss = _trainer.Step(rateShare);
        if (!double.IsFinite(loss))
            throw new InvalidDataException($"the loss of step {StepCount} is {loss}: a lower --rate may help");
        if (History.Add(loss))
            History.AddPoint(StepCount, _trainer.Validate());
        return loss;
    }

    /// <summary>
    /// Writes parameters, optimiser, random state, losses, and what the model is made of; the file appears under its name only when it is whole.
    /// </summary>
    public void Save(string path) => Checkpoint.Save(path, Model.Parameters, _trainer.Optimizer, new Dictionary<string, string>(CheckpointMetadata.Of(Model))
    {
        [CheckpointMetadata.Sequences] = Text(_plan.SequenceCount),
        [CheckpointMetadata.Length] = Text(_plan.Length),
        [CheckpointMetadata.Rate] = _plan.Rate.ToString("R", CultureInfo.InvariantCulture),
        [CheckpointMetadata.RandomState] = Text(_trainer.Random.State),
        [CheckpointMetadata.TextHash] = _textHash,
        [CheckpointMetadata.History] = History.ToString(),
    });

    /// <summary>Goes on from a file.</summary>
    /// <param name="path">What <see cref="Save"/> wrote.</param>
    /// <param name="readCorpus">Reads the text by the model's alphabet.</param>
    /// <exception cref="InvalidDataException">The file is no such checkpoint; the message says why not.</exception>
    /// <exception cref="TensorFileException">The file is broken, or a tensor is missing or of another shape.</exception>
    public static TrainingRun Load(string path, Func<string, Corpus> readCorpus)
    {
        CheckpointMetadata metadata = CheckpointMetadata.Read(path);
        var plan = new TrainingPlan(
            metadata.Number(CheckpointMetadata.Sequences, CheckpointMetadata.LargestCount),
            metadata.Number(CheckpointMetadata.Length, CheckpointMetadata.LargestCount),
            metadata.Amount(CheckpointMetadata.Rate));
        CharacterModel model = metadata.CreateModel();
        MemoryNeed.Check(MemoryNeed.OfRows(model.Shape, model.Alphabet.Length, plan), $"{path}: {plan.Steps}");
        Corpus corpus = readCorpus(model.Alphabet);
        ulong randomState = metadata.Parse(CheckpointMetadata.RandomState, text => ulong.Parse(text, CultureInfo.InvariantCulture));
        LossHistory history = metadata.Parse(CheckpointMetadata.History, LossHistory.Parse);
        var run = new TrainingRun(model, corpus, plan, randomState, history);
        Checkpoint.Load(path, model.Parameters, run._trainer.Optimizer);
        metadata.CheckFinite(model);
        run.IsOnAnotherText = metadata.Text(CheckpointMetadata.TextHash) != run._textHash;
        return run;
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
