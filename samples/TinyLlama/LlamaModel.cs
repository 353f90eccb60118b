using System.Numerics.Tensors;
using Kernels;

namespace TinyLlama;

/// <summary>How a model is run.</summary>
/// <param name="Weights">How matrices are kept.</param>
/// <param name="Attention">Which tokens are attended to.</param>
/// <param name="KeyValues">How keys and values are kept.</param>
/// <param name="Keep">The share of the context that selectors keep.</param>
internal readonly record struct LlamaOptions(WeightKind Weights, AttentionKind Attention, KeyValueType KeyValues, double Keep);

/// <summary>A Llama-family model: for each layer, attention over a cache of keys and values and a gated feed-forward network, each with a norm before and a residual around.</summary>
internal sealed class LlamaModel : IDisposable
{
    private sealed record Layer(ReadOnlyMemory<float> AttentionNorm, ReadOnlyMemory<float> FeedForwardNorm, Dictionary<string, WeightMatrix> Matrices, KvCache Cache)
    {
        public ITokenSelector? Selector { get; set; }
    }

    private readonly LlamaOptions _options;
    private readonly ReadOnlyMemory<float> _embedding;
    private readonly ReadOnlyMemory<float> _finalNorm;
    private readonly WeightMatrix _classifier;
    private readonly Layer[] _layers;
    private readonly RotaryTable _rotary;

    /// <summary>Packs the weights as the options say.</summary>
    /// <param name="checkpoint">The weights; must outlive the model.</param>
    /// <param name="options">How to run.</param>
    /// <param name="calibration">The inputs of each matrix by name, for weights that are packed with GPTQ.</param>
    public LlamaModel(ICheckpoint checkpoint, LlamaOptions options, Calibration? calibration = null)
    {
        Shape = checkpoint.Shape;
        _options = options;
        _rotary = new RotaryTable(Shape);
        _embedding = checkpoint.Read(TensorNames.Embedding);
        _finalNorm = checkpoint.Read(TensorNames.FinalNorm);
        _classifier = Load(Shape.SharesClassifier ? TensorNames.Embedding : TensorNames.Classifier, Shape.VocabularySize, Shape.Dimension, TensorNames.Classifier);
        _layers = [.. Enumerable.Range(0, Shape.LayerCount).Select(LoadLayer)];

        WeightMatrix Load(string name, int rows, int columns, string layerName) =>
            options.Weights == WeightKind.Stored && checkpoint.ReadQuantized(name) is { } stored ? WeightMatrix.Create(stored) :
            WeightMatrix.Create(options.Weights, checkpoint.Read(name), rows, columns, WeightMatrix.NeedsCalibration(options.Weights) ? calibration!.Hessian(layerName, columns) : null);

        Layer LoadLayer(int layer) => new(
            checkpoint.Read(TensorNames.Layer(layer, TensorNames.AttentionNorm)), checkpoint.Read(TensorNames.Layer(layer, TensorNames.FeedForwardNorm)),
            Shape.LayerMatrices.ToDictionary(matrix => matrix.Name, matrix => Load(TensorNames.Layer(layer, matrix.Name), matrix.Rows, matrix.Columns, TensorNames.Layer(layer, matrix.Name))),
            NewCache())
        { Selector = NewSelector() };
    }

    public LlamaShape Shape { get; }

    /// <summary>Receives the inputs of every matrix, if set.</summary>
    public Calibration? Observer { get; set; }

    /// <summary>Tokens so far: the position of the next one.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes of weights that are read for one token.</summary>
    public long BytesPerToken => _classifier.ByteCount + _layers.Sum(layer => layer.Matrices.Values.Sum(matrix => matrix.ByteCount));

    /// <summary>Runs tokens through the model, after those before.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="logits">[rows, vocabulary] for the last tokens, as many as there are rows.</param>
    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        if (Position + tokens.Length > Shape.ContextLength)
            throw new InvalidDataException($"{Position + tokens.Length} tokens exceed the context of {Shape.ContextLength}");
        var states = new float[tokens.Length * Shape.Dimension];
        for (int i = 0; i < tokens.Length; i++)
            _embedding.Span.Slice(tokens[i] * Shape.Dimension, Shape.Dimension).CopyTo(states.AsSpan(i * Shape.Dimension));
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            Attend(layer, states);
            FeedForward(layer, states);
        }
        Position += tokens.Length;
        float[] last = Normalize(states.AsSpan(states.Length - logits.Length / Shape.VocabularySize * Shape.Dimension), _finalNorm.Span);
        Observer?.Add(TensorNames.Classifier, last, Shape.Dimension);
        _classifier.Multiply(last, logits);
    }

    /// <summary>Forgets all tokens.</summary>
    public void Reset()
    {
        Position = 0;
        foreach (Layer layer in _layers)
        {
            layer.Cache.Keep(0, []);
            layer.Selector = NewSelector();
        }
    }

    public void Dispose()
    {
        foreach (Layer layer in _layers)
            layer.Cache.Dispose();
    }

    private ITokenSelector? NewSelector() => TokenSelectors.Create(_options.Attention, Shape.ContextLength, _options.Keep);

    private KvCache NewCache()
    {
        const int pageSize = 16;
        var cache = new KvCache(new()
        {
            KeyValueHeads = Shape.KvHeadCount,
            HeadDimension = Shape.HeadDimension,
            PageSize = pageSize,
            PageCount = (Shape.ContextLength + pageSize - 1) / pageSize,
            Type = _options.KeyValues,
        });
        cache.CreateSequence();
        return cache;
    }

    // states += o(attention(q, k, v))
    private void Attend(int index, Span<float> states)
    {
        Layer layer = _layers[index];
        float[] normalized = Normalize(states, layer.AttentionNorm.Span);
        float[] queries = Multiply(index, "self_attn.q_proj", normalized), keys = Multiply(index, "self_attn.k_proj", normalized), values = Multiply(index, "self_attn.v_proj", normalized);
        var mixed = new float[queries.Length];
        for (int i = 0; i < states.Length / Shape.Dimension; i++)
        {
            _rotary.Turn(queries.AsSpan(i * Shape.Dimension, Shape.Dimension), Position + i);
            _rotary.Turn(keys.AsSpan(i * Shape.KvDimension, Shape.KvDimension), Position + i);
        }
        if (layer.Selector is null)
        {
            layer.Cache.Append(0, keys, values);
            SparseAttention.Attend(queries, layer.Cache, [0], mixed, Shape.HeadCount, new() { Causal = true });
        }
        else
        {
            for (int i = 0; i < states.Length / Shape.Dimension; i++)
                Step(layer, queries.AsSpan(i * Shape.Dimension, Shape.Dimension), keys.AsSpan(i * Shape.KvDimension, Shape.KvDimension), values.AsSpan(i * Shape.KvDimension, Shape.KvDimension), mixed.AsSpan(i * Shape.Dimension, Shape.Dimension));
        }
        TensorPrimitives.Add(states, Multiply(index, "self_attn.o_proj", mixed), states);
    }

    // One token: what the selector evicts, the next tokens do not see.
    private static void Step(Layer layer, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> mixed)
    {
        layer.Cache.Append(0, key, value);
        SparseAttention.Decode(query, layer.Cache, 0, mixed, layer.Selector);
        (layer.Selector as HeavyHitters)?.Evict(layer.Cache, 0);
    }

    // states += down(silu(gate) up), silu(x) = x sigmoid(x)
    private void FeedForward(int index, Span<float> states)
    {
        float[] normalized = Normalize(states, _layers[index].FeedForwardNorm.Span);
        float[] gate = Multiply(index, "mlp.gate_proj", normalized), up = Multiply(index, "mlp.up_proj", normalized), opening = new float[gate.Length];
        TensorPrimitives.Sigmoid(gate, opening);
        TensorPrimitives.Multiply(gate, opening, gate);
        TensorPrimitives.Multiply(gate, up, gate);
        TensorPrimitives.Add(states, Multiply(index, "mlp.down_proj", gate), states);
    }

    // x / sqrt(mean(x^2) + epsilon) times the weights, row by row
    private float[] Normalize(ReadOnlySpan<float> states, ReadOnlySpan<float> weights)
    {
        var normalized = new float[states.Length];
        for (int row = 0; row < states.Length; row += weights.Length)
        {
            ReadOnlySpan<float> state = states.Slice(row, weights.Length);
            Span<float> target = normalized.AsSpan(row, weights.Length);
            TensorPrimitives.Multiply(state, 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares(state) / state.Length + Shape.NormEpsilon), target);
            TensorPrimitives.Multiply(target, weights, target);
        }
        return normalized;
    }

    private float[] Multiply(int index, string name, ReadOnlySpan<float> x)
    {
        WeightMatrix matrix = _layers[index].Matrices[name];
        Observer?.Add(TensorNames.Layer(index, name), x, matrix.InputCount);
        var y = new float[x.Length / matrix.InputCount * matrix.OutputCount];
        matrix.Multiply(x, y);
        return y;
    }
}
