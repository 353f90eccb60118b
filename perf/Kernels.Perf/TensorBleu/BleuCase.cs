namespace Kernels.Perf;

/// <summary>A batch of candidates and mutated copies of them as references.</summary>
/// <param name="Batch">The number of candidates.</param>
/// <param name="Length">Tokens of each sequence.</param>
/// <param name="Vocabulary">Different ids.</param>
/// <param name="ReferenceCount">References for each candidate.</param>
/// <param name="Mutation">The share of a reference's tokens drawn anew.</param>
internal sealed record BleuCase(int Batch, int Length, int Vocabulary, int ReferenceCount, double Mutation)
{
    public string Name => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"batch {Batch}, length {Length}, vocabulary {Vocabulary}, {ReferenceCount} ref, {Mutation:P0} mutated");

    public long TokenCount => (long)Batch * Length * (1 + ReferenceCount);

    /// <summary>Ids above 0: first all candidates, then each candidate's references.</summary>
    public int[] Tokens()
    {
        var random = new Random(Length);
        var tokens = new int[TokenCount];
        for (int i = 0; i < Batch * Length; i++)
            tokens[i] = random.Next(1, Vocabulary);
        for (int i = Batch * Length; i < tokens.Length; i++)
        {
            int reference = i / Length - Batch;
            tokens[i] = random.NextDouble() < Mutation ? random.Next(1, Vocabulary) : tokens[reference / ReferenceCount * Length + i % Length];
        }
        return tokens;
    }
}
