namespace Kernels.Cpu.SpGemm;

/// <summary>The accumulators.</summary>
internal enum SpGemmAccumulator
{
    /// <summary>Chosen for each row.</summary>
    Hybrid,

    /// <summary>Gustavson's dense accumulator for every row.</summary>
    Dense,

    /// <summary>A hash table with linear probing for every row.</summary>
    Hash,

    /// <summary>A hash table of buckets, compared by vectors, for every row.</summary>
    Bucket,
}

/// <summary>Which accumulators rows may have, by the size of the problem alone.</summary>
/// <param name="Accumulator">What the variant asks for.</param>
/// <param name="DenseFits">Whether the dense accumulator stays in the second-level cache: then no other is worth looking at.</param>
/// <param name="HasDense">Whether there is a dense accumulator at all.</param>
/// <param name="CachedColumns">The number of columns whose slots fit half the second-level cache.</param>
internal readonly record struct SpGemmChoice(SpGemmAccumulator Accumulator, bool DenseFits, bool HasDense, long CachedColumns)
{
    /// <summary>Whether short rows may be copied or merged in a list.</summary>
    public bool HasShortRows => Accumulator == SpGemmAccumulator.Hybrid;

    /// <param name="accumulator">What the variant asks for.</param>
    /// <param name="columnCount">Columns of the product.</param>
    /// <param name="valueBytes">Bytes of a value.</param>
    /// <param name="operandBytes">Bytes of the operands: scratch is to be small beside them.</param>
    /// <param name="products">Of the whole product: clearing scratch is to cost less than they do.</param>
    /// <param name="threads">As many dense accumulators there would be.</param>
    public static SpGemmChoice Of(SpGemmAccumulator accumulator, long columnCount, int valueBytes, long operandBytes, long products, int threads)
    {
        long cached = SpGemmTuning.CachedColumns(valueBytes);
        bool fits = columnCount <= cached;
        bool isAffordable = fits || columnCount * (valueBytes + 1) * threads <= operandBytes / 2;
        bool paysOff = columnCount / SpGemmTuning.DenseColumnsPerProduct <= products;
        return new(accumulator, fits, accumulator == SpGemmAccumulator.Dense || (accumulator == SpGemmAccumulator.Hybrid && isAffordable && paysOff),
            cached / 2);
    }

    /// <summary>The accumulator of a row whose products, none of them outside of so many columns, are not known to be near each other.</summary>
    public SpGemmAccumulator ForRow(long products, long columnCount) =>
        Accumulator != SpGemmAccumulator.Hybrid ? Accumulator
        : HasDense && (DenseFits || columnCount <= products * SpGemmTuning.DenseColumnsPerProduct) ? SpGemmAccumulator.Dense
        : SpGemmAccumulator.Hash;

    /// <summary>Whether a row whose first and last columns are so far apart takes the dense accumulator, however few products it has.</summary>
    public bool IsNarrow(long span) => Accumulator == SpGemmAccumulator.Hybrid && HasDense && span <= CachedColumns;
}
