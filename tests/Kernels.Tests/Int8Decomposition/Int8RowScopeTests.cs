namespace Kernels.Tests;

/// <summary>Outliers by rows: whatever stands in one row changes no bit of another, at the edges of tiles, blocks and threads.</summary>
public abstract class Int8RowScopeTests<T> where T : unmanaged
{
    public static TheoryData<string> Variants => Int8DecompositionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void OneRowsNumbersLeaveTheBitsOfOthers(string variant)
    {
        // Around tiles of 6 rows and blocks of 192; an input in the first, a middle and the last step.
        const int rows = 200, outputs = 38, inputs = 50;
        int[] spoiltRows = [0, 5, 6, 191, 192, 199], spoiltInputs = [0, 23, 49];
        Int8Weights weights = Int8DecompositionCases.Weights(outputs, inputs);
        T[] plain = Int8DecompositionCases.Activations<T>(rows, inputs, 5);
        foreach ((float threshold, int threads) in new[] { (0f, 3), (6f, 1) })
        {
            KernelOptions kernel = Int8DecompositionCases.Force<T>(variant, threads);
            T[] expected = Int8DecompositionCases.Multiply<T>(plain, weights, kernel, threshold);
            foreach (double special in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity, 3e4 })
            {
                for (int place = 0; place < spoiltRows.Length; place++)
                {
                    int row = spoiltRows[place];
                    T[] spoilt = [.. plain];
                    spoilt[row * inputs + spoiltInputs[place % spoiltInputs.Length]] = Element.FromDouble<T>(special);
                    T[] actual = Int8DecompositionCases.Multiply<T>(spoilt, weights, kernel, threshold);
                    Int8DecompositionCases.AssertSameBits<T>(expected.AsSpan(0, row * outputs), actual.AsSpan(0, row * outputs));
                    Int8DecompositionCases.AssertSameBits<T>(expected.AsSpan((row + 1) * outputs), actual.AsSpan((row + 1) * outputs));
                    Assert.NotEqual(expected.AsSpan(row * outputs, outputs).ToArray(), actual.AsSpan(row * outputs, outputs).ToArray());
                }
            }
        }
    }
}

public sealed class Int8RowScopeTestsF32 : Int8RowScopeTests<float>;

public sealed class Int8RowScopeTestsF16 : Int8RowScopeTests<Half>;

public sealed class Int8RowScopeTestsBF16 : Int8RowScopeTests<BrainFloat16>;
