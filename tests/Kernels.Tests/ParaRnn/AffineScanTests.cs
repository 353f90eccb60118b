namespace Kernels.Tests;

/// <summary>Affine scans: exact where arithmetic is exact, close elsewhere.</summary>
public sealed class AffineScanTests
{
    public static TheoryData<string> Variants => ParaRnnCases.Variants();

    // Matrices of norm 1 with one entry of 1 or -1 in each row and column: signs, rotations by a right angle, swaps and cycles. Products of them neither grow
    // nor round.
    private static void Fill(Random random, Span<float> matrix, int size)
    {
        Span<int> columns = stackalloc int[size];
        for (int i = 0; i < size; i++)
            columns[i] = i;
        random.Shuffle(columns);
        matrix.Clear();
        for (int i = 0; i < size; i++)
            matrix[i * size + columns[i]] = random.Next(2) == 0 ? 1 : -1;
    }

    // Offsets are whole numbers from -1 to 1: sums stay exact up to 2^24.
    private static (float[] Matrices, float[] Offsets, float[] Expected) Exact(int steps, int size, bool isReverse = false)
    {
        var random = new Random(size);
        float[] matrices = new float[steps * size * size], offsets = new float[steps * size], expected = new float[steps * size], state = new float[size];
        for (int t = 0; t < steps; t++)
        {
            Fill(random, matrices.AsSpan(t * size * size, size * size), size);
            for (int i = 0; i < size; i++)
                offsets[t * size + i] = random.Next(-1, 2);
        }
        for (int position = 0; position < steps; position++)
        {
            int t = isReverse ? steps - 1 - position : position;
            var next = new float[size];
            for (int i = 0; i < size; i++)
            {
                next[i] = offsets[t * size + i];
                for (int k = 0; k < size; k++)
                    next[i] += matrices[(t * size + i) * size + k] * state[k];
            }
            next.CopyTo(expected, t * size);
            state = next;
        }
        return (matrices, offsets, expected);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void ExactOnUnitMatricesAtEveryLength(int size)
    {
        // The beginning of a scan is the scan of the beginning.
        (float[] matrices, float[] offsets, float[] expected) = Exact(4096, size);
        var states = new float[4096 * size];
        for (int steps = 2; steps <= 4096; steps++)
        {
            AffineScan.Compute<float>(matrices.AsSpan(0, steps * size * size), offsets.AsSpan(0, steps * size), states.AsSpan(0, steps * size),
                new(1, steps, 1), size);
            Assert.True(states.AsSpan(0, steps * size).SequenceEqual(expected.AsSpan(0, steps * size)), $"{steps} steps");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ExactOnUnitMatricesUpToFourMillionSteps(int size)
    {
        const int longest = 1 << 22;
        (float[] matrices, float[] offsets, float[] expected) = Exact(longest, size);
        var states = new float[longest * size];
        for (int steps = 1 << 13; steps <= longest; steps *= 2)
        {
            AffineScan.Compute<float>(matrices.AsSpan(0, steps * size * size), offsets.AsSpan(0, steps * size), states.AsSpan(0, steps * size),
                new(1, steps, 1), size);
            Assert.True(states.AsSpan(0, steps * size).SequenceEqual(expected.AsSpan(0, steps * size)), $"{steps} steps");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ReverseIsExactOnEveryVariant(string variant)
    {
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        foreach (int size in new[] { 1, 2, 3, 4 })
        {
            foreach (int steps in new[] { 1, 2, 15, 16, 17, 511, 512, 513, 1000 })
            {
                (float[] matrices, float[] offsets, float[] expected) = Exact(steps, size, isReverse: true);
                var states = new float[steps * size];
                AffineScan.Compute<float>(matrices, offsets, states, new(1, steps, 1), size, new() { Direction = RnnDirection.Reverse, Kernel = kernel });
                Assert.Equal(expected, states);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void ChannelsSequencesLengthsAndInitialStates(string variant)
    {
        KernelOptions kernel = ParaRnnCases.Force<double>(variant);
        foreach (RnnOrder order in Enum.GetValues<RnnOrder>())
        {
            foreach (int channels in new[] { 1, 2, 3, 5, 7, 8, 9, 17 })
            {
                foreach (int size in new[] { 1, 2, 3, 4 })
                    CheckAgainstLoop(new(3, 70, channels, order), size, kernel);
            }
        }
    }

    private static void CheckAgainstLoop(RnnShape shape, int size, KernelOptions kernel)
    {
        double[] matrices = ParaRnnCases.Normal<double>(shape.Elements(size * size), 0.4, 1), offsets = ParaRnnCases.Normal<double>(shape.Elements(size), 1, 2);
        double[] initial = ParaRnnCases.Normal<double>(shape.SequenceCount * size * shape.ChannelCount, 1, 3), states = new double[offsets.Length],
            gradients = new double[offsets.Length];
        int[] lengths = [70, 0, 33];
        AffineScan.Compute<double>(matrices, offsets, states, shape, size, new() { InitialState = initial, Lengths = lengths, Kernel = kernel });
        AffineScan.Backward<double>(matrices, offsets, gradients, shape, size, new() { Lengths = lengths, Kernel = kernel });
        for (int sequence = 0; sequence < shape.SequenceCount; sequence++)
        {
            for (int channel = 0; channel < shape.ChannelCount; channel++)
            {
                double[] state = [.. Enumerable.Range(0, size).Select(i => initial[(sequence * size + i) * shape.ChannelCount + channel])];
                for (int t = 0; t < shape.StepCount; t++)
                {
                    double[] before = state;
                    state = [.. Enumerable.Range(0, size)
                        .Select(i => t >= lengths[sequence] ? 0 : Offset(t, i) + Enumerable.Range(0, size).Sum(k => Matrix(t, i, k) * before[k]))];
                    for (int i = 0; i < size; i++)
                        Assert.InRange(Math.Abs(states[Index(size, t, i)] - state[i]), 0, 1e-12 * Math.Max(1, Math.Abs(state[i])));
                }
                // g[t] = dL/dh[t] + A[t+1]^T g[t+1], with the offsets in the place of dL/dh.
                var carry = new double[size];
                for (int t = lengths[sequence] - 1; t >= 0; t--)
                {
                    double[] later = carry;
                    carry = [.. Enumerable.Range(0, size)
                        .Select(i => Offset(t, i) + (t + 1 < lengths[sequence] ? Enumerable.Range(0, size).Sum(k => Matrix(t + 1, k, i) * later[k]) : 0))];
                    for (int i = 0; i < size; i++)
                        Assert.InRange(Math.Abs(gradients[Index(size, t, i)] - carry[i]), 0, 1e-12 * Math.Max(1, Math.Abs(carry[i])));
                }

                int Index(int components, int t, int component)
                {
                    int row = shape.Order == RnnOrder.TimeMajor ? t * shape.SequenceCount + sequence : sequence * shape.StepCount + t;
                    return (row * components + component) * shape.ChannelCount + channel;
                }

                double Offset(int t, int i) => offsets[Index(size, t, i)];

                double Matrix(int t, int i, int k) => matrices[Index(size * size, t, i * size + k)];
            }
        }
    }
}
