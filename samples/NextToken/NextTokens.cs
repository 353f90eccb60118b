using System.Globalization;
using System.Runtime.InteropServices;
using Kernels;

namespace NextToken;

/// <summary>The likeliest next tokens from one row of logits.</summary>
internal static class NextTokens
{
    private const int VocabularySize = 128256, MostTokens = 10;
    private const double DefaultTemperature = 0.7;

    /// <summary>Runs the program.</summary>
    /// <param name="args">A temperature and a file, both optional.</param>
    /// <param name="output">The table.</param>
    /// <param name="errors">What is wrong with the arguments or the file, in one line.</param>
    /// <returns>0, or 1 if something is wrong.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        try
        {
            if (args.Length > 2)
                throw new FormatException($"{args.Length} arguments: a temperature and a file are all there is");
            double temperature = args.Length > 0 ? ReadTemperature(args[0]) : DefaultTemperature;
            Write(args.Length > 1 ? ReadLogits(args[1]) : MadeUp(VocabularySize), temperature, output);
            return 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException or ArgumentException or NotSupportedException
            or OutOfMemoryException)
        {
            errors.WriteLine(failure.Message.ReplaceLineEndings(" "));
            return 1;
        }
    }

    // A temperature so small that its reciprocal is no number would be none.
    private static double ReadTemperature(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double temperature) && temperature > 0 && double.IsFinite(temperature)
        && double.IsFinite(1 / temperature)
            ? temperature : throw new FormatException($"temperature '{text}': a number above 0 is needed");

    private static float[] ReadLogits(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length == 0 || bytes.Length % sizeof(float) != 0)
            throw new FormatException($"{path}: {bytes.Length} bytes are no row of 32-bit floats");
        float[] logits = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        int bad = Array.FindIndex(logits, logit => float.IsNaN(logit) || float.IsPositiveInfinity(logit));
        if (bad >= 0)
            throw new FormatException($"{path}: the logit of token {bad} is {logits[bad].ToString(CultureInfo.InvariantCulture)}");
        return Array.Exists(logits, float.IsFinite) ? logits : throw new FormatException($"{path}: every logit is -Infinity: no token is possible");
    }

    private static void Write(float[] logits, double temperature, TextWriter output)
    {
        // One call: temperature, softmax over the whole vocabulary, and its largest probabilities. The full row of probabilities is never written.
        int count = Math.Min(MostTokens, logits.Length);
        var probabilities = new float[count];
        var tokens = new int[count];
        Softmax.TopK(logits, probabilities, tokens, rowLength: logits.Length, count, new SoftmaxOptions<float> { Scale = 1 / temperature });

        output.WriteLine($"{logits.Length} tokens at temperature {temperature.ToString(CultureInfo.InvariantCulture)}");
        output.WriteLine("rank   token  probability");
        for (int rank = 0; rank < count; rank++)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rank + 1,4} {tokens[rank],7} {probabilities[rank],12:P2}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the other {logits.Length - count} together: {Math.Max(0, 1 - probabilities.Sum()):P2}"));
    }

    // Logits as models have them: a broad bell of unlikely tokens and a few that fit.
    private static float[] MadeUp(int vocabularySize)
    {
        var random = new Random(Seed: 1);
        var row = new float[vocabularySize];
        for (int token = 0; token < row.Length; token++)
            row[token] = 2 * (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f);
        for (int fitting = 0; fitting < 20; fitting++)
            row[random.Next(vocabularySize)] = 12 - 0.4f * fitting;
        return row;
    }
}
