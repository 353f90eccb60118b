using System.Numerics.Tensors;

namespace TinyLlama;

/// <summary>
/// A Llama-family model: for each layer, attention over a cache of keys and values and a gated feed-forward network, each with a norm before and a residual
/// around.
/// </summary>
internal sealed class LlamaModel : IDisposable
{
    // Tokens that pass a layer together: more would not be faster, and rows take memory.
    private const int MostRows = 512;

    private sealed record Layer(ReadOnlyMemory<float> AttentionNorm, ReadOnlyMemory<float> FeedForwardNorm, Dictionary<string, WeightMatrix> Matrices);

    private readonly ReadOnlyMemory<float> _embedding;
    private readonly ReadOnlyMemory<float> _finalNorm;
    private readonly WeightMatrix _classifier;
    private readonly Layer[] _layers;
    private readonly RotaryTable _rotary;
    private readonly SequenceAttention _attention;
    private readonly ICheckpoint _kept;
    private ICheckpoint? _owned;
    private Activations _rows;

    /// <summary>Packs the weights as the options say.</summary>
    /// <param name="checkpoint">The weights; must outlive the model.</param>
    /// <param name="options">How to run.</param>
    /// <param name="calibration">The inputs of each matrix by name, for weights that are packed with GPTQ.</param>
    /// <param name="interrupted">Ends the packing between matrices.</param>
    public LlamaModel(ICheckpoint checkpoint, LlamaOptions options, Calibration? calibration = null, CancellationToken interrupted = default)
        : this(checkpoint, checkpoint, options, calibration, interrupted)
    {
    }

    private LlamaModel(ICheckpoint packed, ICheckpoint kept, LlamaOptions options, Calibration? calibration, CancellationToken interrupted)
    {
        _kept = kept;
        Shape = kept.Shape;
        _rotary = new RotaryTable(Shape);
        _rows = new Activations(Shape, rows: 1);
        _embedding = kept.Read(TensorNames.Embedding);
        _finalNorm = kept.Read(TensorNames.FinalNorm);
        _classifier = Load(Shape.SharesClassifier ? TensorNames.Embedding : TensorNames.Classifier, TensorNames.Classifier, Shape.VocabularySize,
            Shape.Dimension, options.Classifier);
        _layers = [.. Enumerable.Range(0, Shape.LayerCount).Select(LoadLayer)];
        _attention = SequenceAttention.Create(Shape, options);

        WeightMatrix Load(string name, string calibrated, int rows, int columns, WeightKind kind)
        {
            interrupted.ThrowIfCancellationRequested();
            if (kind == WeightKind.Stored && packed.ReadQuantized(name) is { } stored)
                return new QuantizedMatrix(stored, options.Arithmetic);
            if (kind is WeightKind.F32 or WeightKind.Stored)
                return new FloatMatrix(kept.Read(name), rows, columns);
            ReadOnlyMemory<float> weights = packed.Read(name);
            FiniteWeights.Check(packed, name, weights.Span, columns);
            try
            {
                return WeightMatrix.Create(kind, weights, rows, columns, WeightMatrix.NeedsCalibration(kind) ? calibration!.Hessian(calibrated, columns) : null,
                    options.Arithmetic);
            }
            catch (ArgumentException unfit)
            {
                throw new InvalidDataException($"{packed.FileOf(name)}: {name}: {Faults.OneLine(unfit)}", unfit);
            }
        }

        Layer LoadLayer(int layer) => new(
            kept.Read(TensorNames.Layer(layer, TensorNames.AttentionNorm)), kept.Read(TensorNames.Layer(layer, TensorNames.FeedForwardNorm)),
            Shape.LayerMatrices.ToDictionary(
                matrix => matrix.Name, matrix =>
                Load(TensorNames.Layer(layer, matrix.Name), TensorNames.Layer(layer, matrix.Name), matrix.Rows, matrix.Columns, options.Weights)));
    }

    /// <summary>
    /// Packs matrices from a mapping that ends with the packing, so that what was read for it is no longer resident; the model keeps another for what it leaves
    /// in float.
    /// </summary>
    public static LlamaModel Load(Func<ICheckpoint> open, LlamaOptions options, Calibration? calibration = null, CancellationToken interrupted = default)
    {
        ICheckpoint kept = open();
        try
        {
            using ICheckpoint packed = open();
            return new LlamaModel(packed, kept, options, calibration, interrupted) { _owned = kept };
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    public LlamaShape Shape { get; }

    /// <summary>Receives the inputs of every matrix, if set.</summary>
    public Calibration? Observer { get; set; }

    /// <summary>Tokens so far: the position of the next one.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes of weights that are read for one token.</summary>
    public long BytesPerToken => _classifier.ByteCount + _layers.Sum(layer => layer.Matrices.Values.Sum(matrix => matrix.ByteCount));

    /// <summary>Bytes of the caches of keys and values.</summary>
    public long CacheBytes => _attention.CacheBytes;

    /// <summary>Runs tokens through the model, after those before.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="logits">[rows, vocabulary] for the last tokens, as many as there are rows.</param>
    /// <param name="interrupted">Ends the work between layers; then <see cref="Reset"/> is due.</param>
    /// <exception cref="InvalidDataException">There are more tokens than the context holds, or a logit is NaN: the message names the weight.</exception>
    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits, CancellationToken interrupted = default)
    {
        if (Position + tokens.Length > Shape.ContextLength)
            throw new InvalidDataException($"{Position + tokens.Length} tokens exceed the context of {Shape.ContextLength} (--context)");
        int most = _attention.IsTokenByToken ? 1 : MostRows, wanted = logits.Length / Shape.VocabularySize;
        for (int i = 0, step; i < tokens.Length; i += step)
        {
            step = Math.Min(most, tokens.Length - i);
            int before = wanted - (tokens.Length - i - step), rows = Math.Clamp(before, 0, step);
            ForwardRows(tokens.Slice(i, step), rows == 0 ? default : logits.Slice((before - rows) * Shape.VocabularySize, rows * Shape.VocabularySize),
                interrupted);
        }
        if (TensorPrimitives.IsNaNAny<float>(logits))
            throw FiniteWeights.Explain(_kept);
    }

    /// <summary>Forgets all tokens.</summary>
    public void Reset()
    {
        Position = 0;
        _attention.Reset();
    }

    public void Dispose()
    {
        _attention.Dispose();
        _owned?.Dispose();
    }

    private void ForwardRows(ReadOnlySpan<int> tokens, Span<float> logits, CancellationToken interrupted)
    {
        if (_rows.Rows != tokens.Length)
            _rows = new Activations(Shape, tokens.Length);
        for (int i = 0; i < tokens.Length; i++)
            _embedding.Span.Slice(tokens[i] * Shape.Dimension, Shape.Dimension).CopyTo(_rows.States.AsSpan(i * Shape.Dimension));
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            interrupted.ThrowIfCancellationRequested();
            Attend(layer);
            FeedForward(layer);
        }
        Position += tokens.Length;
        if (logits.IsEmpty)
            return;
        Span<float> last = _rows.Normalized.AsSpan(_rows.Normalized.Length - logits.Length / Shape.VocabularySize * Shape.Dimension);
        Normalize(_rows.States, _finalNorm.Span);
        Observer?.Add(TensorNames.Classifier, last, Shape.Dimension);
        _classifier.Multiply(last, logits);
    }

    // states += o(attention(q, k, v))
    private void Attend(int layer)
    {
        Normalize(_rows.States, _layers[layer].AttentionNorm.Span);
        Multiply(layer, "self_attn.q_proj", _rows.Normalized, _rows.Queries);
        Multiply(layer, "self_attn.k_proj", _rows.Normalized, _rows.Keys);
        Multiply(layer, "self_attn.v_proj", _rows.Normalized, _rows.Values);
        for (int i = 0; i < _rows.Rows; i++)
        {
            _rotary.Turn(_rows.Queries.AsSpan(i * Shape.Dimension, Shape.Dimension), Position + i);
            _rotary.Turn(_rows.Keys.AsSpan(i * Shape.KvDimension, Shape.KvDimension), Position + i);
        }
        _attention.Attend(layer, _rows.Queries, _rows.Keys, _rows.Values, _rows.Mixed);
        Multiply(layer, "self_attn.o_proj", _rows.Mixed, _rows.Normalized);
        TensorPrimitives.Add(_rows.States, _rows.Normalized, _rows.States);
    }

    // states += down(silu(gate) up), silu(x) = x sigmoid(x)
    private void FeedForward(int layer)
    {
        Normalize(_rows.States, _layers[layer].FeedForwardNorm.Span);
        Multiply(layer, "mlp.gate_proj", _rows.Normalized, _rows.Gate);
        Multiply(layer, "mlp.up_proj", _rows.Normalized, _rows.Up);
        TensorPrimitives.Multiply(_rows.Up, _rows.Gate, _rows.Up);
        TensorPrimitives.Sigmoid(_rows.Gate, _rows.Gate);
        TensorPrimitives.Multiply(_rows.Up, _rows.Gate, _rows.Up);
        Multiply(layer, "mlp.down_proj", _rows.Up, _rows.Normalized);
        TensorPrimitives.Add(_rows.States, _rows.Normalized, _rows.States);
    }

    // x / sqrt(mean(x^2) + epsilon) times the weights, row by row
    private void Normalize(ReadOnlySpan<float> states, ReadOnlySpan<float> weights)
    {
        for (int row = 0; row < states.Length; row += weights.Length)
        {
            ReadOnlySpan<float> state = states.Slice(row, weights.Length);
            Span<float> target = _rows.Normalized.AsSpan(row, weights.Length);
            TensorPrimitives.Multiply(state, 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares(state) / state.Length + Shape.NormEpsilon), target);
            TensorPrimitives.Multiply(target, weights, target);
        }
    }

    private void Multiply(int layer, string name, float[] x, float[] y)
    {
        WeightMatrix matrix = _layers[layer].Matrices[name];
        Observer?.Add(TensorNames.Layer(layer, name), x, matrix.InputCount);
        matrix.Multiply(x, y);
    }
}
