using System.Runtime.InteropServices;
using System.Text;
using Kernels.Core.Tensors;

namespace TinyLlama;

/// <summary>
/// Checkpoints of any shape with random weights, in llama2.c's version 1: to measure speed and memory at sizes whose real weights are not at hand.
/// </summary>
internal static class SyntheticModel
{
    private const int HeaderBytes = 256, BufferElements = 1 << 18, SpecialTokens = 3, ByteTokens = 256;
    private const uint Magic = 0x616b3432;

    /// <summary>The layers of well-known models; all with a vocabulary of 32,000 and a classifier that is the embedding.</summary>
    public static IReadOnlyDictionary<string, LlamaShape> Shapes { get; } = new Dictionary<string, LlamaShape>
    {
        ["15m"] = Shape(dimension: 288, hidden: 768, layers: 6, heads: 6, kvHeads: 6, context: 256),        // llama2.c's stories15M
        ["110m"] = Shape(dimension: 768, hidden: 2048, layers: 12, heads: 12, kvHeads: 12, context: 1024),  // llama2.c's stories110M
        ["1b"] = Shape(dimension: 2048, hidden: 8192, layers: 16, heads: 32, kvHeads: 8, context: 2048),    // Llama-3.2-1B
    };

    /// <summary>Writes a checkpoint as a stream; it stands under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="seed">The seed of the weights. A matrix of k inputs is uniform with variance 1 / k, so that states neither grow nor vanish; norms are
    /// 1.</param>
    /// <param name="interrupted">Ends the writing and leaves no file.</param>
    public static void Write(string path, LlamaShape shape, int seed, CancellationToken interrupted)
    {
        using var file = new AtomicFile(path);
        var header = new byte[HeaderBytes];
        uint[] sizes = [Magic, 1, (uint)shape.Dimension, (uint)shape.HiddenDimension, (uint)shape.LayerCount, (uint)shape.HeadCount, (uint)shape.KvHeadCount,
            (uint)shape.VocabularySize, (uint)shape.ContextLength];
        MemoryMarshal.AsBytes<uint>(sizes).CopyTo(header);
        header[sizes.Length * sizeof(uint)] = shape.SharesClassifier ? (byte)1 : (byte)0;
        RandomAccess.Write(file.Handle, header, 0);
        long offset = HeaderBytes;
        ulong random = (ulong)seed;
        var buffer = new float[BufferElements];
        Write(1, (2L * shape.LayerCount + 1) * shape.Dimension, inputs: 0);
        Write(shape.VocabularySize, shape.Dimension, shape.Dimension);
        foreach ((_, int rows, int columns) in shape.LayerMatrices)
            Write((long)shape.LayerCount * rows, columns, columns);
        if (!shape.SharesClassifier)
            Write(shape.VocabularySize, shape.Dimension, shape.Dimension);
        file.Commit();

        void Write(long rows, long columns, int inputs)
        {
            for (long left = rows * columns; left > 0;)
            {
                interrupted.ThrowIfCancellationRequested();
                Span<float> part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
                if (inputs == 0)
                    part.Fill(1);
                else
                    FillUniform(part, MathF.Sqrt(3f / inputs), ref random);
                RandomAccess.Write(file.Handle, MemoryMarshal.AsBytes(part), offset);
                offset += (long)part.Length * sizeof(float);
                left -= part.Length;
            }
        }
    }

    /// <summary>Writes a tokenizer of llama2.c for a vocabulary of that size: three special tokens, the bytes, then made-up words.</summary>
    public static void WriteTokenizer(string path, int vocabularySize)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        byte[][] tokens = [.. Enumerable.Range(0, vocabularySize).Select(TokenText)];
        writer.Write(tokens.Max(token => token.Length));
        foreach (byte[] token in tokens)
        {
            writer.Write(0f);
            writer.Write(token.Length);
            writer.Write(token);
        }
        using var file = new AtomicFile(path);
        RandomAccess.Write(file.Handle, stream.GetBuffer().AsSpan(0, (int)stream.Length), 0);
        file.Commit();
    }

    private static byte[] TokenText(int token) => Encoding.UTF8.GetBytes(
        token < SpecialTokens ? ((string[])["<unk>", "\n<s>\n", "\n</s>\n"])[token] : token < SpecialTokens + ByteTokens ? $"<0x{token - SpecialTokens:X2}>"
        : $" t{token}");

    private static LlamaShape Shape(int dimension, int hidden, int layers, int heads, int kvHeads, int context) =>
        new(dimension, hidden, layers, heads, kvHeads, VocabularySize: 32_000, context) { SharesClassifier = true };

    // Uniform within the bound, from SplitMix64: 24 bits of each half of its numbers.
    private static void FillUniform(Span<float> values, float bound, ref ulong state)
    {
        const int mantissaBits = 24;
        float scale = 2 * bound / (1 << mantissaBits);
        for (int i = 0; i < values.Length; i += 2)
        {
            ulong z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            z ^= z >> 31;
            values[i] = (uint)(z >> 40) * scale - bound;
            if (i + 1 < values.Length)
                values[i + 1] = ((uint)z >> 8) * scale - bound;
        }
    }
}
