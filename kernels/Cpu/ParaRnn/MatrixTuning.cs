namespace Kernels.Cpu;

/// <summary>The blocking of dense products, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).</summary>
internal static class MatrixTuning
{
    /// <summary>Rows of a tile: with two registers of columns, twelve accumulators, two of B and one of A are the sixteen registers of AVX2.</summary>
    public const int TileRows = 6;

    /// <summary>Registers of columns of a tile.</summary>
    public const int TileVectors = 2;

    /// <summary>Terms added at a time: a panel of B, 256 x 2 registers, is 16 KiB with AVX2, half of level 1.</summary>
    public const int InnerBlock = 256;

    /// <summary>Rows of A packed at a time: 96 x 256 floats are 96 KiB, a share of level 2.</summary>
    public const int RowBlock = 96;

    /// <summary>Multiply-adds that take about as long as one channel's step, for the number of threads.</summary>
    public const int OperationsPerElement = 32;
}
