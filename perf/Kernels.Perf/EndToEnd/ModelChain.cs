using System.Diagnostics;
using System.Globalization;
using CharRnn;

namespace Kernels.Perf;

/// <summary>A whole way through the library: a language model is trained, its matrices are quantised in three ways, and all four read and write.</summary>
/// <param name="StepCount">Training steps.</param>
/// <param name="TrainedCharacters">Characters of text in these steps.</param>
/// <param name="Seconds">The time they took.</param>
/// <param name="TextBits">The bits per character of the draws that made the text: the least that a model can reach.</param>
/// <param name="LetterBits">The entropy of single characters: what a model that looks at nothing before reaches.</param>
/// <param name="Rows">The forms of the model, f32 first.</param>
internal sealed record ModelChain(long StepCount, long TrainedCharacters, double Seconds, double TextBits, double LetterBits, IReadOnlyList<WeightRow> Rows)
{
    /// <summary>The word for it in the place of a family's.</summary>
    public const string Name = "character_model";

    public const string Title = "End to end: a language model, trained here and quantised";

    // Of the loss in f32. How low that is, a slow machine's twenty seconds decide; what rounding may add to it does not depend on them.
    private const double LargestInt8Loss = 1.05, LargestFourBitLoss = 1.5;

    private const int HiddenCount = 192, LayerCount = 2, Seed = 1, SampleLength = 180;
    private const double Temperature = 0.5;

    // The last part of the time, in which the learning rate falls to nothing.
    private const double CoolDownShare = 0.3;

    private static readonly TimeSpan s_sayEvery = TimeSpan.FromSeconds(1);

    /// <summary>Whether quantisation left the model what it learned.</summary>
    public bool Passed =>
        Rows[1].BitsPerCharacter < LargestInt8Loss * Rows[0].BitsPerCharacter && Rows.Skip(2)
        .All(row => row.BitsPerCharacter < LargestFourBitLoss * Rows[0].BitsPerCharacter);

    /// <summary>What was done, in a sentence.</summary>
    public string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"Two ParaGRU layers of {HiddenCount} channels, trained for {Seconds:0} s ({StepCount:N0} steps, {TrainedCharacters / Seconds:N0} characters a " +
            $"second) on little stories made by a grammar. "
        + $"Held-out text: {Rows[0].BitsPerCharacter:0.000} bits a character, where single letters' frequencies give {LetterBits:0.00} and the grammar " +
            $"itself {TextBits:0.000}.");

    /// <summary>Trains for a given time, then compares the forms.</summary>
    public static ModelChain Run(TimeSpan trainingTime, ProgressLine progress)
    {
        Corpus corpus = Corpus.Stories();
        var model = new CharacterModel(new ModelShape(CellKind.Gru, HiddenCount, LayerCount), corpus.Alphabet, Seed);
        var plan = new TrainingPlan();
        var trainer = new Trainer(model, corpus, plan, Seed);
        var watch = Stopwatch.StartNew();
        TimeSpan said = -s_sayEvery;
        double loss = 0;
        while (watch.Elapsed < trainingTime || trainer.Optimizer.StepCount == 0)
        {
            if (watch.Elapsed - said > s_sayEvery)
            {
                said = watch.Elapsed;
                progress.Say(string.Create(CultureInfo.InvariantCulture,
                    $"training a language model: {said.TotalSeconds:0} s of {trainingTime.TotalSeconds:0}, " +
                    $"{(loss == 0 ? "starting" : $"{loss:0.00} bits a character")}"));
            }
            loss = trainer.Step(Math.Clamp((1 - watch.Elapsed / trainingTime) / CoolDownShare, 0, 1));
        }
        double seconds = watch.Elapsed.TotalSeconds;
        progress.Say("comparing the model with its quantised forms");
        WeightRow[] rows = WeightComparison.Run(model, corpus, new WeightSamples(corpus.Prompt, SampleLength, Temperature, Seed));
        return new ModelChain(trainer.Optimizer.StepCount, trainer.Optimizer.StepCount * plan.RowCount, seconds, corpus.BitsOfItsDraws, corpus.LetterBits,
            rows);
    }
}
