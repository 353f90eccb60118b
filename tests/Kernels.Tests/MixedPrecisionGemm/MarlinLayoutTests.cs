namespace Kernels.Tests;

/// <summary>MARLIN's layout against its definition as it is printed (tables built step by step), and round trips.</summary>
public sealed class MarlinLayoutTests
{
    // The definition: 32 lanes; for each, two blocks of 8 columns and four rows; then four groups of 16 columns; then the interleave within a word.
    private static int[] Permutation(int bits)
    {
        var permutation = new List<int>();
        for (int lane = 0; lane < 32; lane++)
        {
            var fragment = new List<int>();
            int column = lane / 4;
            foreach (int block in new[] { 0, 1 })
            {
                foreach (int row in new[] { 2 * (lane % 4), 2 * (lane % 4) + 1, 2 * (lane % 4 + 4), 2 * (lane % 4 + 4) + 1 })
                    fragment.Add(16 * row + column + 8 * block);
            }
            for (int j = 0; j < 4; j++)
                permutation.AddRange(fragment.Select(place => place + 256 * j));
        }
        int[] interleave = bits == 4 ? [0, 2, 4, 6, 1, 3, 5, 7] : [0, 2, 1, 3];
        return [.. Enumerable.Range(0, permutation.Count)
            .Select(i => permutation[i / interleave.Length * interleave.Length + interleave[i % interleave.Length]])];
    }

    // values as W^T[k, n] -> tiles of 16 x 16, row-major within -> rows of n * 16 values -> the permutation in pieces of 1024 -> words, lowest bits first.
    private static int[] ByDefinition(byte[] values, int outputs, int inputs, int bits)
    {
        int[] permutation = Permutation(bits);
        var tiled = new byte[values.Length];
        for (int i = 0; i < tiled.Length; i++)
        {
            int tileRow = i / (outputs * 16), inRow = i % (outputs * 16), tile = inRow / 256, row = inRow % 256 / 16, column = inRow % 16;
            tiled[i] = values[(tile * 16 + column) * inputs + tileRow * 16 + row];
        }
        int perWord = 32 / bits;
        var words = new int[values.Length / perWord];
        for (int i = 0; i < tiled.Length; i++)
            words[i / perWord] |= tiled[i / 1024 * 1024 + permutation[i % 1024]] << (bits * (i % perWord));
        return words;
    }

    private static byte[] Values(int count, int bits, int seed)
    {
        var values = new byte[count];
        new Random(seed).NextBytes(values);
        return bits == 8 ? values : Array.ConvertAll(values, value => (byte)(value & 15));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void TilesAreThoseOfTheDefinition(int bits)
    {
        foreach ((int outputs, int inputs) in new[] { (64, 16), (64, 128), (256, 128), (192, 48), (448, 640) })
        {
            byte[] values = Values(outputs * inputs, bits, outputs), back = new byte[values.Length];
            int[] packed = new int[values.Length * bits / 32];
            MarlinLayout.Pack(values, outputs, inputs, bits, packed);
            Assert.Equal(ByDefinition(values, outputs, inputs, bits), packed);
            MarlinLayout.Unpack(packed, outputs, inputs, bits, back);
            Assert.Equal(values, back);
        }
    }

    [Fact]
    public void EveryCheckpointShapeComesBack()
    {
        // vLLM's shapes for repacking: k = 128 {8, 5, 11}, n = {64, 256} {4, 7, 13}. The whole grid by a sparse probe: a packed copy is a permutation of bits.
        foreach (int inputs in new[] { 128 * 8, 128 * 5, 128 * 11 })
        {
            foreach (int outputs in new[] { 64 * 4, 64 * 7, 64 * 13, 256 * 4, 256 * 7, 256 * 13 })
            {
                byte[] values = Values(outputs * inputs, 4, inputs + outputs), back = new byte[values.Length];
                int[] packed = new int[values.Length / 8];
                MarlinLayout.Pack(values, outputs, inputs, 4, packed);
                MarlinLayout.Unpack(packed, outputs, inputs, 4, back);
                Assert.True(values.AsSpan().SequenceEqual(back), $"{inputs} x {outputs}");
            }
        }
    }

    [Fact]
    public void ScalesAndZeroPointsAreThoseOfTheDefinition()
    {
        const int outputs = 192, groups = 3;
        int[] grouped = [.. Enumerable.Range(0, 64).Select(i => i / 8 + 8 * (i % 8))];
        int[] single = [.. Enumerable.Range(0, 4).SelectMany(i => new[] { 0, 1, 8, 9, 16, 17, 24, 25 }.Select(j => 2 * i + j))];
        float[] scales = MixedPrecisionGemmCases.Normal(groups * outputs, 1), permuted = new float[scales.Length], back = new float[scales.Length];
        MarlinLayout.PermuteScales<float>(scales, outputs, groups, permuted);
        Assert.Equal(scales.Select((_, i) => scales[i / 64 * 64 + grouped[i % 64]]), permuted);
        MarlinLayout.UnpermuteScales<float>(permuted, outputs, groups, back);
        Assert.Equal(scales, back);
        float[] column = scales[..outputs], permutedColumn = new float[outputs];
        MarlinLayout.PermuteScales<float>(column, outputs, 1, permutedColumn);
        Assert.Equal(column.Select((_, i) => column[i / 32 * 32 + single[i % 32]]), permutedColumn);
        foreach (int bits in new[] { 4, 8 })
        {
            byte[] zeros = Values(groups * outputs, bits, 3), zerosBack = new byte[zeros.Length];
            int[] interleave = bits == 4 ? [0, 2, 4, 6, 1, 3, 5, 7] : [0, 2, 1, 3];
            byte[] moved = [.. zeros.Select((_, i) => zeros[i / 64 * 64 + grouped[i % 64]])];
            moved = [.. moved.Select((_, i) => moved[i / interleave.Length * interleave.Length + interleave[i % interleave.Length]])];
            int[] expected = new int[zeros.Length * bits / 32], packed = new int[expected.Length];
            for (int i = 0; i < moved.Length; i++)
                expected[i * bits / 32] |= moved[i] << (i * bits % 32);
            MarlinLayout.PackZeroPoints(zeros, outputs, groups, bits, packed);
            Assert.Equal(expected, packed);
            MarlinLayout.UnpackZeroPoints(packed, outputs, groups, bits, zerosBack);
            Assert.Equal(zeros, zerosBack);
        }
    }

    [Fact]
    public void BadSizesAreRefusedByName()
    {
        Assert.Equal("outputCount", Assert.ThrowsAny<ArgumentException>(() => MarlinLayout.Pack(new byte[32 * 16], 32, 16, 4, new int[64])).ParamName);
        Assert.Equal("inputCount", Assert.ThrowsAny<ArgumentException>(() => MarlinLayout.Pack(new byte[64 * 8], 64, 8, 4, new int[64])).ParamName);
        Assert.Equal("bits", Assert.ThrowsAny<ArgumentException>(() => MarlinLayout.Pack(new byte[64 * 16], 64, 16, 3, new int[64])).ParamName);
        Assert.Equal("packed", Assert.ThrowsAny<ArgumentException>(() => MarlinLayout.Pack(new byte[64 * 16], 64, 16, 4, new int[64])).ParamName);
        Assert.Equal("values", Assert.ThrowsAny<ArgumentException>(() => MarlinLayout.Pack([.. new byte[64 * 16 - 1], 16], 64, 16, 4, new int[128])).ParamName);
    }
}
