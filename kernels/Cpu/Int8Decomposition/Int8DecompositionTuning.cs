using Kernels.Core.Threading;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>The sizes that steer the driver. None of them changes a bit of a result, save the gradient's block.</summary>
internal static class Int8DecompositionTuning
{
    /// <summary>Rows of the largest register tile, which also share a list of outlier columns.</summary>
    public const int TileRows = 6;

    /// <summary>
    /// Rows that share a pass over the weights: whole tiles. Their sums for a panel are 24 KiB, and at 4096 inputs their activations 0.8 MiB (1.6 in 16 bits),
    /// read at 4 bytes a cycle: from level 2 or 3.
    /// </summary>
    public const int BlockRows = 32 * TileRows;

    /// <summary>Steps of a panel that stay in level 1 while all rows pass by: 16 KiB of 32.</summary>
    public const int BlockSteps = 128;

    /// <summary>Below so many panels for each thread, rows are cut as well.</summary>
    public const int PanelsPerThread = 4;

    /// <summary>Elements that a row is widened by at a time: 4 KiB on the stack.</summary>
    public const int Chunk = 1024;

    /// <summary>Rows whose contributions to the gradient of the weights are added in one go; the only sums whose order a size here decides.</summary>
    public const int GradientRows = 16 * TileRows;

    /// <summary>Inputs of a piece of work in the gradients: a panel of dequantised weights is 32 x 128 floats, 16 KiB.</summary>
    public const int GradientColumns = 128;

    /// <summary>Multiply-adds below which a second thread costs more than it saves: some 20 microseconds of the memory-bound single row.</summary>
    public const long ParallelProducts = 1 << 20;

    /// <summary>The threads of a call: as many as asked for, else one where the work is small.</summary>
    /// <param name="work">Products of two numbers, or elements.</param>
    /// <param name="options">What the caller asked for.</param>
    public static int ThreadCount(long work, in KernelOptions options) => ThreadPolicy.Threads(work, ParallelProducts, options);
}
