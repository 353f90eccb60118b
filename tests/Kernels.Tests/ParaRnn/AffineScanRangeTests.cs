namespace Kernels.Tests;

/// <summary>
/// What products of many steps would lose, and states step by step do not: range, small numbers, differences. All numbers are powers of two or small whole
/// ones, so that nothing rounds.
/// </summary>
public sealed class AffineScanRangeTests
{
    private const int Steps = 1032;

    // The share of a register that channels fill, and more than one of any width.
    private static readonly int[] s_channels = [1, 2, 3, 4, 5, 8, 15, 16, 17, 33];

    public static TheoryData<string> Variants => ParaRnnCases.Variants();

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void FactorsWhoseProductsLeaveTheRange(string variant)
    {
        // 100 of float's 127 binary exponents, 1000 of double's 1023: two steps' product overflows, and so it underflows.
        foreach (int size in new[] { 1, 2, 3, 4 })
        {
            foreach (int channels in s_channels)
            {
                foreach (bool growsFirst in new[] { true, false })
                {
                    CheckRange<float>(variant, 100, size, channels, growsFirst);
                    CheckRange<double>(variant, 1000, size, channels, growsFirst);
                }
            }
        }
    }

    // Each matrix moves component i to i + 1 and multiplies by 2^e, where e runs through +, +, -, - or -, -, +, +: the state is 2^-e, 1, 2^e, 1 or the other
    // way round.
    private static void CheckRange<T>(string variant, int exponent, int size, int channels, bool growsFirst) where T : unmanaged
    {
        const int sequences = 2;
        KernelOptions kernel = ParaRnnCases.Force<T>(variant);
        var shape = new RnnShape(sequences, Steps, channels);
        double up = Math.ScaleB(1, growsFirst ? exponent : -exponent), down = 1 / up;
        T[] matrices = new T[shape.Elements(size * size)], offsets = new T[shape.Elements(size)], states = new T[offsets.Length],
            initial = new T[sequences * size * channels];
        for (int row = 0; row < Steps * sequences; row++)
        {
            T factor = Element.FromDouble<T>(row / sequences % 4 < 2 ? up : down);
            for (int i = 0; i < size; i++)
                matrices.AsSpan((row * size * size + (i + 1) % size * size + i) * channels, channels).Fill(factor);
        }
        // Components differ by whole factors, so that no two can be mistaken.
        for (int i = 0; i < initial.Length; i++)
            initial[i] = Element.FromDouble<T>(down * (1 + i / channels % size));
        AffineScan.Compute<T>(matrices, offsets, states, shape, size, new() { InitialState = initial, Kernel = kernel });
        for (int i = 0; i < states.Length; i++)
        {
            int t = i / (sequences * size * channels), component = i / channels % size, from = (component + size * Steps - (t + 1)) % size;
            Assert.Equal((1 + from) * (t % 4) switch { 1 => up, 3 => down, _ => 1 }, Element.ToDouble(states[i]));
        }
        // Against time the factors come as they do forwards, from the last step's gradient on.
        T[] gradients = new T[offsets.Length];
        offsets.AsSpan((Steps - 1) * sequences * size * channels).Fill(Element.FromDouble<T>(up));
        AffineScan.Backward<T>(matrices, offsets, gradients, shape, size, new() { Kernel = kernel });
        for (int i = 0; i < gradients.Length; i++)
            Assert.Equal((i / (sequences * size * channels) % 4) switch { 3 => up, 1 => down, _ => 1 }, Element.ToDouble(gradients[i]));
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void OffsetsThatCancelAgainstTheState(string variant)
    {
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        foreach (int channels in s_channels)
        {
            // h = 2 h - 1 stays at 1; from zero states the offsets alone come to -2^t.
            Check(2, 1, _ => -1, _ => 1);
            // A sum of ones after 2^40 was taken away; in float 2^40 + 1 is 2^40.
            Check(1, 1L << 40, t => t == 0 ? -(1L << 40) : 1, t => t);

            void Check(float factor, float start, Func<int, float> offset, Func<int, float> expected)
            {
                var shape = new RnnShape(1, Steps, channels);
                float[] matrices = new float[Steps * channels], offsets = new float[matrices.Length], states = new float[matrices.Length],
                    initial = new float[channels];
                Array.Fill(matrices, factor);
                Array.Fill(initial, start);
                for (int i = 0; i < offsets.Length; i++)
                    offsets[i] = offset(i / channels);
                AffineScan.Compute<float>(matrices, offsets, states, shape, 1, new() { InitialState = initial, Kernel = kernel });
                for (int i = 0; i < states.Length; i++)
                    Assert.Equal(expected(i / channels), states[i]);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void AChannelHasItsBitsWhateverIsBesideIt(string variant)
    {
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        const int all = 33, size = 2;
        var shape = new RnnShape(1, Steps, all);
        float[] matrices = ParaRnnCases.Normal<float>(shape.Elements(size * size), 0.5, 1), offsets = ParaRnnCases.Normal<float>(shape.Elements(size), 1, 2);
        float[] states = new float[offsets.Length], gradients = new float[offsets.Length];
        AffineScan.Compute<float>(matrices, offsets, states, shape, size, new() { Kernel = kernel });
        AffineScan.Backward<float>(matrices, offsets, gradients, shape, size, new() { Kernel = kernel });
        foreach (int channels in s_channels)
        {
            var narrow = new RnnShape(1, Steps, channels);
            float[] some = First(matrices, channels), of = First(offsets, channels), result = new float[of.Length];
            AffineScan.Compute<float>(some, of, result, narrow, size, new() { Kernel = kernel });
            Assert.Equal(First(states, channels), result);
            AffineScan.Backward<float>(some, of, result, narrow, size, new() { Kernel = kernel });
            Assert.Equal(First(gradients, channels), result);
        }

        static float[] First(float[] numbers, int channels) => [.. numbers.Where((_, i) => i % all < channels)];
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void WhatIsNotFiniteStaysInItsChannelAndSequence(string variant)
    {
        KernelOptions kernel = ParaRnnCases.Force<float>(variant);
        const int sequences = 2, size = 2, at = 500;
        foreach (int channels in s_channels)
        {
            foreach (float bad in new[] { float.NaN, float.PositiveInfinity })
            {
                foreach (bool inMatrix in new[] { true, false })
                {
                    var shape = new RnnShape(sequences, Steps, channels);
                    float[] matrices = ParaRnnCases.Normal<float>(shape.Elements(size * size), 0.3, 1),
                        offsets = ParaRnnCases.Normal<float>(shape.Elements(size), 1, 2);
                    float[][] clean = Run(shape, matrices, offsets, kernel);
                    int channel = channels / 2, row = at * sequences + 1;
                    if (inMatrix)
                        matrices[row * size * size * channels + channel] = bad;
                    else
                        offsets[row * size * channels + channel] = bad;
                    float[][] dirty = Run(shape, matrices, offsets, kernel);
                    for (int i = 0; i < clean[0].Length; i++)
                    {
                        int t = i / (sequences * size * channels);
                        bool isOwn = i % channels == channel && i / (size * channels) % sequences == 1;
                        if (!isOwn || t < at)
                            Assert.Equal(clean[0][i], dirty[0][i]);
                        // Against time a step's matrix acts before it, its offset from it on.
                        if (!isOwn || t > at || (inMatrix && t == at))
                            Assert.Equal(clean[1][i], dirty[1][i]);
                    }
                    Assert.False(float.IsFinite(dirty[0][row * size * channels + channel]));
                    Assert.False(float.IsFinite(dirty[1][(row - sequences) * size * channels + channel]));
                }
            }
        }

        static float[][] Run(RnnShape shape, float[] matrices, float[] offsets, KernelOptions kernel)
        {
            float[] states = new float[offsets.Length], gradients = new float[offsets.Length];
            AffineScan.Compute<float>(matrices, offsets, states, shape, size, new() { Kernel = kernel });
            AffineScan.Backward<float>(matrices, offsets, gradients, shape, size, new() { Kernel = kernel });
            return [states, gradients];
        }
    }
}
