using System.Buffers;
using Kernels.Core.Checks;
using Kernels.Core.ParaRnn;

namespace Kernels.Nn;

/// <summary>
/// A recurrent layer: the gate inputs of all steps in one product, then the recurrence. Owns its parameters and what its backward pass needs of the last
/// forward pass; not safe from several threads at once.
/// </summary>
public abstract class RnnLayer
{
    private protected RnnLayer(LinearLayer projection, Parameter recurrentWeights, int hiddenCount) =>
        (Projection, RecurrentWeights, HiddenCount) = (projection, recurrentWeights, hiddenCount);

    /// <summary>Channels of the layer.</summary>
    public int HiddenCount { get; }

    /// <summary>B and b of the gate inputs B x + b: rows in the cell's order of gates, [gates * channels, inputs / heads].</summary>
    public LinearLayer Projection { get; }

    /// <summary>The recurrent weights, [weights, channels].</summary>
    public Parameter RecurrentWeights { get; }

    /// <summary>All parameters.</summary>
    public IReadOnlyList<Parameter> Parameters => [.. Projection.Parameters, RecurrentWeights];

    /// <summary>The solver of forward passes.</summary>
    public RnnSolver Solver { get; set; }

    /// <summary>Variant, parallelism and cancellation.</summary>
    public KernelOptions Options { get; set; }

    /// <summary>Elements of the states of so many sequences.</summary>
    /// <param name="sequenceCount">The number of sequences, 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or an array cannot hold so many.</exception>
    public abstract int StateElements(int sequenceCount);

    /// <summary>Runs the layer over a batch of sequences.</summary>
    /// <param name="inputs">[steps, sequences, inputs], time-major.</param>
    /// <param name="outputs">Receives [steps, sequences, channels].</param>
    /// <param name="sequenceCount">The number of sequences; must divide the rows of the inputs.</param>
    /// <param name="state">The states before the first step, which become those after the last, [sequences, components, channels]; empty for zeros.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the gate inputs or states exceed an array; nothing has been written.</exception>
    public abstract SolveReport Forward(ReadOnlySpan<float> inputs, Span<float> outputs, int sequenceCount, Span<float> state = default);

    /// <summary>
    /// Runs the recurrence alone on gate inputs that were made elsewhere, by a product with quantised weights for example. Leaves what the backward pass needs
    /// as it is; scratch is rented from the shared pool.
    /// </summary>
    /// <param name="gateInputs">[steps, sequences, gates, channels], time-major.</param>
    /// <param name="outputs">Receives [steps, sequences, channels].</param>
    /// <param name="sequenceCount">The number of sequences; must divide the rows of the gate inputs.</param>
    /// <param name="state">As in <see cref="Forward"/>.</param>
    /// <exception cref="ArgumentException">As in <see cref="Forward"/>.</exception>
    public abstract SolveReport Recur(ReadOnlySpan<float> gateInputs, Span<float> outputs, int sequenceCount, Span<float> state = default);

    /// <summary>
    /// Adds to the gradients of the parameters for the last forward pass, and writes those by its inputs. Nothing flows back beyond the first step.
    /// </summary>
    /// <param name="outputGradients">The loss's gradients by the outputs.</param>
    /// <param name="inputGradients">Receives those by the inputs; empty if not wanted.</param>
    /// <exception cref="ArgumentException">A length does not fit; nothing has been added or written.</exception>
    /// <exception cref="InvalidOperationException">There was no forward pass.</exception>
    public abstract void Backward(ReadOnlySpan<float> outputGradients, Span<float> inputGradients);
}

/// <summary>A layer of one cell.</summary>
/// <typeparam name="TCell">The cell.</typeparam>
public abstract class RnnLayer<TCell> : RnnLayer where TCell : struct, IDifferentiableRnnCell
{
    private readonly int _outputComponent;
    private readonly float[] _weightGradients;
    private RnnShape? _shape;
    private float[] _inputs = [], _gates = [], _states = [], _gateGradients = [], _stateGradients = [], _initial = [];

    private protected RnnLayer(string name, int inputCount, int hiddenCount, int outputComponent, int seed, int headCount)
        : base(new LinearLayer($"{Checked(name)}.input", inputCount, GateElements(hiddenCount), TCell.GateCount, headCount, seed),
            new Parameter($"{name}.recurrent", TCell.WeightCount, hiddenCount), hiddenCount)
    {
        // 2 / sqrt(5 H): small enough for contractive steps.
        RecurrentWeights.FillNormal(new Random(seed + 1), Math.Sqrt(2.0 / (5.0 * hiddenCount)));
        _outputComponent = outputComponent;
        _weightGradients = new float[RecurrentWeights.Values.Length];
    }

    private static string Checked(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name;
    }

    private static int GateElements(int hiddenCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hiddenCount);
        RnnChecks.ArrayLength((long)hiddenCount * Math.Max(TCell.GateCount, TCell.WeightCount), nameof(hiddenCount));
        return hiddenCount * TCell.GateCount;
    }

    /// <inheritdoc/>
    public sealed override int StateElements(int sequenceCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequenceCount);
        return RnnChecks.ArrayLength((long)sequenceCount * TCell.StateCount * HiddenCount, nameof(sequenceCount));
    }

    /// <inheritdoc/>
    public sealed override SolveReport Forward(ReadOnlySpan<float> inputs, Span<float> outputs, int sequenceCount, Span<float> state = default)
    {
        RnnShape shape = ShapeOf(inputs.Length, Projection.InputCount, sequenceCount, state.Length, nameof(inputs));
        outputs = Check.Written(outputs, shape.Elements(1), nameof(outputs));
        Keep(shape, inputs, state);
        Projection.Forward(inputs, _gates, Options);
        SolveReport report = Solve(_gates, _states, shape, _initial, state);
        CopyOutputs(_states, outputs);
        return report;
    }

    /// <inheritdoc/>
    public sealed override SolveReport Recur(ReadOnlySpan<float> gateInputs, Span<float> outputs, int sequenceCount, Span<float> state = default)
    {
        RnnShape shape = ShapeOf(gateInputs.Length, Projection.OutputCount, sequenceCount, state.Length, nameof(gateInputs));
        outputs = Check.Written(outputs, shape.Elements(1), nameof(outputs));
        int stateCount = (int)shape.Elements(TCell.StateCount);
        float[] scratch = ArrayPool<float>.Shared.Rent(RnnChecks.ArrayLength((long)stateCount + state.Length, nameof(gateInputs)));
        try
        {
            Span<float> states = scratch.AsSpan(0, stateCount), initial = scratch.AsSpan(stateCount, state.Length);
            state.CopyTo(initial);
            SolveReport report = Solve(gateInputs, states, shape, initial, state);
            CopyOutputs(states, outputs);
            return report;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    private RnnShape ShapeOf(int length, int rowLength, int sequenceCount, int stateLength, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequenceCount);
        var shape = new RnnShape(sequenceCount, Check.Rows(length, (long)rowLength * sequenceCount, name), HiddenCount);
        Check.ExactlyOrEmpty(stateLength, (long)sequenceCount * TCell.StateCount * HiddenCount, "state");
        RnnChecks.ArrayLength(shape.Elements(Math.Max(TCell.GateCount, TCell.StateCount)), name);
        Check.Kernel(Options);
        return shape;
    }

    private SolveReport Solve(ReadOnlySpan<float> gates, Span<float> states, in RnnShape shape, ReadOnlySpan<float> initial, Span<float> final) =>
        ParaRnn.Forward<TCell, float>(gates, RecurrentWeights.Values, states, shape,
        new() { Solver = Solver, InitialState = initial, FinalState = final, Kernel = Options });

    private void CopyOutputs(ReadOnlySpan<float> states, Span<float> outputs)
    {
        for (int to = 0, from = _outputComponent * HiddenCount; to < outputs.Length; to += HiddenCount, from += TCell.StateCount * HiddenCount)
            states.Slice(from, HiddenCount).CopyTo(outputs[to..]);
    }

    private void Keep(in RnnShape shape, ReadOnlySpan<float> inputs, ReadOnlySpan<float> state)
    {
        if (_shape != shape)
        {
            _shape = null;
            _inputs = new float[inputs.Length];
            _gates = new float[shape.Elements(TCell.GateCount)];
            _gateGradients = new float[_gates.Length];
            _states = new float[shape.Elements(TCell.StateCount)];
            _stateGradients = new float[_states.Length];
            _shape = shape;
        }
        inputs.CopyTo(_inputs);
        if (_initial.Length != state.Length)
            _initial = new float[state.Length];
        state.CopyTo(_initial);
    }

    /// <inheritdoc/>
    public sealed override void Backward(ReadOnlySpan<float> outputGradients, Span<float> inputGradients)
    {
        RnnShape shape = _shape ?? throw new InvalidOperationException("a backward pass needs the forward pass before it");
        Check.Exactly(outputGradients.Length, shape.Elements(1), nameof(outputGradients));
        inputGradients = Check.WrittenOrEmpty(inputGradients, _inputs.Length, nameof(inputGradients));
        Check.Disjoint(outputGradients, inputGradients, nameof(outputGradients), nameof(inputGradients));
        for (int step = 0; step < shape.StepCount * shape.SequenceCount; step++)
            outputGradients.Slice(step * HiddenCount, HiddenCount).CopyTo(_stateGradients.AsSpan((step * TCell.StateCount + _outputComponent) * HiddenCount));
        ParaRnn.Backward<TCell, float>(
            _gates, RecurrentWeights.Values, _states, _stateGradients, _gateGradients, _weightGradients, shape,
            new() { InitialState = _initial, Kernel = Options });
        for (int i = 0; i < _weightGradients.Length; i++)
            RecurrentWeights.Gradients[i] += _weightGradients[i];
        Projection.Backward(_inputs, _gateGradients, inputGradients, Options);
    }
}

/// <summary>A layer of <see cref="ParaGru"/> cells.</summary>
/// <param name="name">Prefix of the parameters' names.</param>
/// <param name="inputCount">Elements of an input.</param>
/// <param name="hiddenCount">Channels.</param>
/// <param name="seed">The seed of the weights.</param>
/// <param name="headCount">Heads of the input projection, each with its share of inputs and channels: a divisor of both. 1 (the default) for a dense
/// projection.</param>
public sealed class ParaGruLayer(string name, int inputCount, int hiddenCount, int seed, int headCount = 1)
    : RnnLayer<ParaGru>(name, inputCount, hiddenCount, outputComponent: 0, seed, headCount);

/// <summary>A layer of <see cref="ParaLstm"/> cells; its outputs are h, the second half of the state.</summary>
/// <param name="name">Prefix of the parameters' names.</param>
/// <param name="inputCount">Elements of an input.</param>
/// <param name="hiddenCount">Channels.</param>
/// <param name="seed">The seed of the weights.</param>
/// <param name="headCount">Heads of the input projection, each with its share of inputs and channels: a divisor of both. 1 (the default) for a dense
/// projection.</param>
public sealed class ParaLstmLayer(string name, int inputCount, int hiddenCount, int seed, int headCount = 1)
    : RnnLayer<ParaLstm>(name, inputCount, hiddenCount, outputComponent: 1, seed, headCount);
