namespace Kernels.Tests;

/// <summary>SpAtten as its formulas read, in double, one step of one layer at a time.</summary>
internal sealed class SpAttenTranscription(int queryHeads, int keyHeads, int dimension, float[] keys, float[] values, int tokens)
{
    public int[] Tokens { get; private set; } = [.. Enumerable.Range(0, tokens)];

    public double[] Importance { get; private set; } = new double[tokens];

    public bool[] Heads { get; } = [.. Enumerable.Repeat(true, queryHeads)];

    public double[] HeadImportance { get; } = new double[queryHeads];

    public double[] Decode(float[] query, int localValues, float threshold)
    {
        var output = new double[queryHeads * dimension];
        for (int head = 0; head < queryHeads; head++)
        {
            if (!Heads[head])
                continue;
            double scale = 1 / Math.Sqrt(dimension);
            double[] p = Probabilities(query, keys, head, queryHeads, keyHeads, dimension, Tokens, scale, threshold > 0 ? 4 : 0);
            if (threshold > 0 && p.Max() < threshold)
                p = Probabilities(query, keys, head, queryHeads, keyHeads, dimension, Tokens, scale, 8);
            for (int i = 0; i < p.Length; i++)
                Importance[i] += p[i];
            foreach (int i in Enumerable.Range(0, p.Length).OrderByDescending(i => p[i]).ThenBy(i => i).Take(localValues))
            {
                for (int j = 0; j < dimension; j++)
                    output[head * dimension + j] += p[i] * values[(Tokens[i] * keyHeads + head / (queryHeads / keyHeads)) * dimension + j];
            }
            for (int j = 0; j < dimension; j++)
                HeadImportance[head] += Math.Abs(output[head * dimension + j]);
        }
        return output;
    }

    public void Prune(int tokenCount, int headCount)
    {
        int[] kept = [.. Enumerable.Range(0, Tokens.Length).OrderByDescending(i => (float)Importance[i]).ThenBy(i => i).Take(tokenCount).Order()];
        Tokens = [.. kept.Select(i => Tokens[i])];
        Importance = [.. kept.Select(i => Importance[i])];
        foreach (int head in Enumerable.Range(0, queryHeads).Where(h => Heads[h]).OrderByDescending(h => HeadImportance[h]).ThenBy(h => h).Skip(headCount)
            .ToArray())
            Heads[head] = false;
    }

    /// <summary>
    /// A head's softmax over tokens; bits 0 for keys and queries as they are, 4 for the keys' high bits, 8 for all eight, both with queries in eight bits.
    /// </summary>
    public static double[] Probabilities(float[] query, float[] keys, int head, int queryHeads, int keyHeads, int dimension, int[] tokens, double scale,
        int bits)
    {
        float[] q = [.. query.AsSpan(head * dimension, dimension).ToArray().Select(x => (float)scale * x)];
        double[] left = bits == 0 ? Element.ToDoubles<float>(q) : Rounded(q);
        var logits = new double[tokens.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            float[] k = keys.AsSpan((tokens[i] * keyHeads + head / (queryHeads / keyHeads)) * dimension, dimension).ToArray();
            double[] right = bits == 0 ? Element.ToDoubles<float>(k) : bits == 8 ? Rounded(k) : HighNibbles(k);
            logits[i] = left.Zip(right, (a, b) => a * b).Sum();
        }
        double largest = logits.Max(), sum = logits.Sum(x => Math.Exp(x - largest));
        return [.. logits.Select(x => Math.Exp(x - largest) / sum)];
    }

    private static float Scale(float[] row) => row.Max(MathF.Abs) / 127;

    private static double[] Rounded(float[] row) => [.. row.Select(x => (double)Scale(row) * MathF.Round(x / Scale(row)))];

    // c = code + 128 within 1 to 255; of its low four bits the middle, 7.5, is taken.
    private static double[] HighNibbles(float[] row) =>
        [.. row.Select(x => (double)Scale(row) * (((int)MathF.Round(x / Scale(row)) + 128) / 16 * 16 + 7.5 - 128))];
}
