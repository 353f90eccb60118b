using System.Diagnostics;

namespace Kernels.Cpu.SpGemm;

/// <summary>Every size that the driver chooses by, with its reason.</summary>
internal static class SpGemmTuning
{
    /// <summary>Products below which a second thread costs more than it saves: waking it takes 5 to 20 microseconds, a product 1 to 2 nanoseconds.</summary>
    public const long ParallelProducts = 1 << 15;

    /// <summary>Products of a row up to which a list searched from its start is as fast as a table: it stays within two cache lines.</summary>
    public const int ListProducts = 8;

    /// <summary>Left entries of a row up to which it is looked at whether a list will do.</summary>
    public const int ListLeftEntries = 3;

    /// <summary>Columns of a row up to which sorting by counting smaller ones, a register of them at a time, beats marking them in a bitmap.</summary>
    public const int RankLimit = 64;

    /// <summary>Products of a tile, about: some 100 microseconds, so that tiles are many and their handling does not show.</summary>
    public const long TileProducts = 1 << 16;

    /// <summary>
    /// Ticks of the stopwatch that a thread waits at most for a tile's count before it counts itself: a millisecond, ten times what a tile takes.
    /// </summary>
    public static long LongestWait { get; } = Stopwatch.Frequency / 1000;

    /// <summary>Pauses between two looks at a tile's count: some 300 nanoseconds, so that looking does not disturb whoever is about to write it.</summary>
    public const int SpinsBetweenLooks = 8;

    /// <summary>Products of a row from which it is cut into stripes of columns, of about a tile each.</summary>
    public const long StripedRowProducts = 4 * TileProducts;

    /// <summary>Products that each entry of the left row must have in a stripe: finding its part of the right row is two binary searches.</summary>
    public const long StripeProductsPerEntry = 32;

    /// <summary>One tile in so many is counted ahead to estimate the size of the result.</summary>
    public const long SampleStride = 24;

    /// <summary>What is added to an estimate: 1 / 8, more than samples of balanced tiles were seen to be off.</summary>
    public const long EstimateSlackDivisor = 8;

    /// <summary>
    /// A dense accumulator wider than the second-level cache is used for a row with at least one product for so many columns (GraphBLAS: 12 to 16).
    /// </summary>
    public const long DenseColumnsPerProduct = 16;

    /// <summary>Tables are at most half full.</summary>
    public const long SlotsPerEntry = 2;

    /// <summary>Entries that the output of one tile may have: with their accumulators they stay in the second-level cache.</summary>
    public static long WindowEntries(int valueBytes) => Math.Max(1024, MachineInfo.Current.Level2Bytes / 4 / (sizeof(int) + valueBytes));

    /// <summary>Columns of which values and states fit the second-level cache.</summary>
    public static long CachedColumns(int valueBytes) => MachineInfo.Current.Level2Bytes / (valueBytes + 1);
}
