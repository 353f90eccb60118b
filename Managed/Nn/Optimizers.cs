using Kernels.Cpu.Primitives;

namespace Kernels.Nn;

/// <summary>A number that says how an optimiser steps, as a checkpoint keeps it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsPossible">Whether it may have a value.</param>
/// <param name="Get">Its value.</param>
/// <param name="Set">Gives it one.</param>
internal readonly record struct OptimizerSetting(string Name, Func<double, bool> IsPossible, Func<double> Get, Action<double> Set);

/// <summary>
/// Changes parameters by their gradients. What it remembers from step to step and its settings have names, and are saved and loaded by
/// <see cref="Checkpoint"/>. A parameter that is listed twice counts once.
/// </summary>
public abstract class Optimizer
{
    private readonly string[] _memoryNames;
    private readonly (Parameter Parameter, float[][] Memory)[] _slots;
    private double _rate;

    private protected Optimizer(IEnumerable<Parameter> parameters, double rate, params string[] memoryNames)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _rate = Checked(rate, IsFiniteFromZero, nameof(rate));
        _memoryNames = memoryNames;
        _slots = [.. parameters.Distinct().Select(parameter => (parameter, memoryNames.Select(_ => new float[parameter.Values.Length]).ToArray()))];
    }

    /// <summary>The learning rate, which may change between steps: a finite number from 0 on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is given another number.</exception>
    public double Rate
    {
        get => _rate;
        set => _rate = Checked(value, IsFiniteFromZero, nameof(Rate));
    }

    /// <summary>Steps so far.</summary>
    public long StepCount { get; internal set; }

    /// <summary>Applies the gradients and sets them to zero.</summary>
    public void Step()
    {
        StepCount++;
        foreach ((Parameter parameter, float[][] memory) in _slots)
        {
            Apply(parameter.Values, parameter.Gradients, memory);
            Array.Clear(parameter.Gradients);
        }
    }

    /// <summary>Every array that it remembers: its name, <c>[parameter].[what]</c>, and its elements, in the shape of the parameter.</summary>
    internal IEnumerable<(string Name, Parameter Parameter, float[] Elements)> Memory =>
        _slots.SelectMany(slot => _memoryNames.Select((name, i) => ($"{slot.Parameter.Name}.{name}", slot.Parameter, slot.Memory[i])));

    /// <summary>All settings.</summary>
    internal OptimizerSetting[] Settings => [new("rate", IsFiniteFromZero, () => Rate, value => Rate = value), OwnSetting];

    private protected abstract OptimizerSetting OwnSetting { get; }

    private protected abstract void Apply(float[] values, float[] gradients, float[][] memory);

    private protected static bool IsFiniteFromZero(double value) => value >= 0 && double.IsFinite(value);

    private protected static double Checked(double value, Func<double, bool> isPossible, string name, string needed = "a finite number from 0 on is needed") =>
        isPossible(value) ? value : throw new ArgumentOutOfRangeException(name, value, needed);
}

/// <summary>Stochastic gradient descent with momentum: v = momentum v + g, w = w - rate v.</summary>
public sealed class Sgd : Optimizer
{
    private const string ShareNeeded = "a number from 0 to below 1 is needed";

    private double _momentum;

    /// <summary>An optimiser that remembers nothing yet.</summary>
    /// <param name="parameters">What to train.</param>
    /// <param name="rate">The learning rate, finite, from 0 on.</param>
    /// <param name="momentum">The share of the last step that goes on, 0 to below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public Sgd(IEnumerable<Parameter> parameters, double rate, double momentum = 0) : base(parameters, rate, "velocity") =>
        _momentum = Checked(momentum, IsShare, nameof(momentum), ShareNeeded);

    /// <summary>The share of the last step that goes on, 0 to below 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is given another number.</exception>
    public double Momentum
    {
        get => _momentum;
        set => _momentum = Checked(value, IsShare, nameof(Momentum), ShareNeeded);
    }

    private protected override OptimizerSetting OwnSetting => new("momentum", IsShare, () => Momentum, value => Momentum = value);

    private static bool IsShare(double value) => value is >= 0 and < 1;

    private protected override unsafe void Apply(float[] values, float[] gradients, float[][] memory)
    {
        fixed (float* value = values, gradient = gradients, velocity = memory[0])
        {
            var step = new MomentumStep { Values = value, Gradients = gradient, Velocity = velocity, Share = (float)_momentum, Rate = (float)Rate };
            ParameterSteps.Run(step, values.Length);
        }
    }
}

/// <summary>
/// Adam with decoupled weight decay (arXiv 1711.05101): m and s are running means of gradient and squared gradient, corrected for their start from zero; w = w
/// - rate (m / (sqrt(s) + epsilon) + decay w).
/// </summary>
public sealed class AdamW : Optimizer
{
    // The paper's values.
    private const double MeanShare = 0.9, SquareShare = 0.999, Epsilon = 1e-8;

    private double _weightDecay;

    /// <summary>An optimiser that remembers nothing yet.</summary>
    /// <param name="parameters">What to train.</param>
    /// <param name="rate">The learning rate, finite, from 0 on.</param>
    /// <param name="weightDecay">The decay, finite, from 0 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public AdamW(IEnumerable<Parameter> parameters, double rate, double weightDecay = 0.01) : base(parameters, rate, "mean", "square") =>
        _weightDecay = Checked(weightDecay, IsFiniteFromZero, nameof(weightDecay));

    /// <summary>The decay, a finite number from 0 on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is given another number.</exception>
    public double WeightDecay
    {
        get => _weightDecay;
        set => _weightDecay = Checked(value, IsFiniteFromZero, nameof(WeightDecay));
    }

    private protected override OptimizerSetting OwnSetting => new("weight_decay", IsFiniteFromZero, () => WeightDecay, value => WeightDecay = value);

    private protected override unsafe void Apply(float[] values, float[] gradients, float[][] memory)
    {
        fixed (float* value = values, gradient = gradients, mean = memory[0], square = memory[1])
        {
            var step = new AdamWStep
            {
                Values = value,
                Gradients = gradient,
                Mean = mean,
                Square = square,
                MeanPart = (float)(1 - MeanShare),
                SquarePart = (float)(1 - SquareShare),
                Rate = (float)(Rate / (1 - Math.Pow(MeanShare, StepCount))),
                Correction = (float)(1 / (1 - Math.Pow(SquareShare, StepCount))),
                Keep = (float)(1 - Rate * _weightDecay),
                Epsilon = (float)Epsilon,
            };
            ParameterSteps.Run(step, values.Length);
        }
    }
}
