using Kernels;
using Kernels.Nn;

namespace CharRnn;

/// <summary>How a model is trained.</summary>
/// <param name="SequenceCount">Stretches of text in one step.</param>
/// <param name="Length">Characters of each.</param>
/// <param name="Rate">The learning rate of the first steps.</param>
internal sealed record TrainingPlan(int SequenceCount = 8, int Length = 256, double Rate = 1e-2)
{
    /// <summary>Steps in which the rate rises to its full value.</summary>
    private const int WarmUpSteps = 20;

    /// <summary>Steps after which it falls, with the root of the steps: a rule that does not ask when training will end, so that it can go on.</summary>
    private const int SteadySteps = 200;

    /// <summary>A step's size in words.</summary>
    public string Steps => $"steps of {SequenceCount} stretches of {Length} characters";

    public int RowCount => checked(SequenceCount * Length);

    /// <summary>The learning rate of a step, counted from 1.</summary>
    public double RateOf(long step) => Rate * Math.Min(1, (double)step / WarmUpSteps) * Math.Sqrt(Math.Min(1, (double)SteadySteps / step));
}

/// <summary>Trains a model on random stretches of a text, by cross-entropy, AdamW and clipped gradients. Losses are in bits per character.</summary>
internal sealed class Trainer
{
    // The usual bound for recurrent networks.
    private const double GradientLimit = 1;

    private readonly CharacterModel _model;
    private readonly Corpus _corpus;
    private readonly TrainingPlan _plan;
    private readonly int[] _inputs, _targets;
    private readonly float[][] _activations, _gradients;

    /// <param name="model">The model.</param>
    /// <param name="corpus">The text, of at least one stretch's length and one character.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="seed">The seed of the choice of stretches.</param>
    public Trainer(CharacterModel model, Corpus corpus, TrainingPlan plan, ulong seed)
    {
        if (corpus.Training.Length <= plan.Length || corpus.HeldOut.Length < 2)
            throw new InvalidDataException($"the text has {corpus.Text.Length} characters: too few for stretches of {plan.Length} and a part to hold out");
        MemoryNeed.Check(MemoryNeed.OfRows(model.Shape, model.Alphabet.Length, plan), plan.Steps);
        (_model, _corpus, _plan, Random) = (model, corpus, plan, new SplitMix64(seed));
        Optimizer = new AdamW(model.Parameters, plan.Rate);
        (_inputs, _targets) = (new int[plan.RowCount], new int[plan.RowCount]);
        int[] widths = [CharacterModel.EmbeddingElements, .. model.Layers.Select(layer => layer.HiddenCount), model.Alphabet.Length];
        _activations = [.. widths.Select(width => new float[(long)plan.RowCount * width])];
        // The logits' gradient takes the place of the probabilities.
        _gradients = [.. widths[..^1].Select(width => new float[(long)plan.RowCount * width]), _activations[^1]];
        HeldOut = new CharacterReader(model);
    }

    public AdamW Optimizer { get; }

    public SplitMix64 Random { get; set; }

    private CharacterReader HeldOut { get; }

    /// <summary>One step; returns the loss of its stretches before it.</summary>
    /// <param name="rateShare">The share of the plan's learning rate to use: who knows when training will end gains by falling to 0.</param>
    public double Step(double rateShare = 1)
    {
        DrawStretches();
        Forward();
        double loss = LossAndItsGradient();
        Backward();
        GradientClipping.ByNorm(_model.Parameters, GradientLimit);
        Optimizer.Rate = rateShare * _plan.RateOf(Optimizer.StepCount + 1);
        Optimizer.Step();
        return loss;
    }

    /// <summary>The loss on the held-out text.</summary>
    public double Validate() => HeldOut.BitsPerCharacter(_corpus.HeldOut);

    // Time-major: row t * sequences + s.
    private void DrawStretches()
    {
        int[] text = _corpus.Training;
        for (int sequence = 0; sequence < _plan.SequenceCount; sequence++)
        {
            int start = Random.Next(text.Length - _plan.Length);
            for (int t = 0, row = sequence; t < _plan.Length; t++, row += _plan.SequenceCount)
                (_inputs[row], _targets[row]) = (text[start + t], text[start + t + 1]);
        }
    }

    private void Forward()
    {
        _model.Embedding.Forward(_inputs, _activations[0]);
        for (int i = 0; i < _model.Layers.Count; i++)
            _model.Layers[i].Forward(_activations[i], _activations[i + 1], _plan.SequenceCount);
        _model.Readout.Forward(_activations[^2], _activations[^1]);
    }

    // The gradient of the mean cross-entropy (in nats) by the logits: (probabilities, less one at the target) / rows.
    private double LossAndItsGradient()
    {
        int width = _model.Alphabet.Length;
        float[] probabilities = _activations[^1];
        Softmax.Compute<float>(probabilities, probabilities, width);
        double bits = 0;
        for (int row = 0; row < _targets.Length; row++)
        {
            ref float chosen = ref probabilities[row * width + _targets[row]];
            bits -= Math.Log2(chosen);
            chosen -= 1;
        }
        float share = 1f / _targets.Length;
        foreach (ref float gradient in probabilities.AsSpan())
            gradient *= share;
        return bits / _targets.Length;
    }

    private void Backward()
    {
        _model.Readout.Backward(_activations[^2], _gradients[^1], _gradients[^2]);
        for (int i = _model.Layers.Count - 1; i >= 0; i--)
            _model.Layers[i].Backward(_gradients[i + 1], _gradients[i]);
        _model.Embedding.Backward(_inputs, _gradients[0]);
    }
}
