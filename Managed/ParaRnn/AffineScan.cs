using Kernels.Core.Checks;
using Kernels.Core.ParaRnn;
using Kernels.Managed;

namespace Kernels;

/// <summary>
/// Affine recurrences h[t] = A[t] h[t-1] + b[t] with a small square block for each channel, 1 x 1 (diagonal) to 4 x 4, and their gradients: the linear part of
/// a recurrent network, of a state-space model, of an exponential moving average. Inclusive, in either direction, with ragged lengths.
/// </summary>
/// <remarks>
/// Matrices are [steps, sequences, block * block, channels], offsets and states [steps, sequences, block, channels], or by <see cref="RnnShape.Order"/>;
/// element (i, j) of a matrix is component i block + j. Channels that fill no register share it with stretches of time, whose maps are composed; results are
/// the same bits on any number of threads.
/// </remarks>
public static class AffineScan
{
    /// <summary>Computes all states.</summary>
    /// <param name="matrices">The matrices A.</param>
    /// <param name="offsets">The offsets b.</param>
    /// <param name="states">Receives the states h; must not overlap an input.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="blockSize">Rows of a block, 1 to 4.</param>
    /// <param name="options">Initial state, lengths, direction.</param>
    /// <exception cref="ArgumentException">A size or an option is wrong, or the output overlaps an input; nothing has been written.</exception>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static void Compute<T>(
        ReadOnlySpan<T> matrices, ReadOnlySpan<T> offsets, Span<T> states, RnnShape shape, int blockSize, AffineScanOptions<T> options = default)
        where T : unmanaged =>
        Run(new AffineScanProblem<T>(matrices, offsets, states, shape, blockSize, options), isTransposed: false);

    /// <summary>
    /// Computes the gradient by the offsets, g[t] = dL/dh[t] + A[t+1]^T g[t+1]: the transposed scan against the direction of time. That by the matrices is the
    /// outer product g[t] h[t-1]^T; that by the initial state A[0]^T g[0].
    /// </summary>
    /// <param name="matrices">The forward scan's matrices.</param>
    /// <param name="stateGradients">The loss's gradients by the states.</param>
    /// <param name="offsetGradients">Receives the gradients by the offsets; must not overlap an input.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="blockSize">Rows of a block, 1 to 4.</param>
    /// <param name="options">The forward scan's direction and lengths; its initial state is not used.</param>
    /// <exception cref="ArgumentException">A size or an option is wrong, or the output overlaps an input; nothing has been written.</exception>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static void Backward<T>(
        ReadOnlySpan<T> matrices, ReadOnlySpan<T> stateGradients, Span<T> offsetGradients, RnnShape shape,
        int blockSize, AffineScanOptions<T> options = default) where T : unmanaged
    {
        Check.Defined(options.Direction, nameof(options.Direction));
        var reversed = new AffineScanOptions<T>
        {
            Direction = options.Direction == RnnDirection.Forward ? RnnDirection.Reverse : RnnDirection.Forward,
            Lengths = options.Lengths,
            Kernel = options.Kernel,
        };
        Run(new AffineScanProblem<T>(matrices, stateGradients, offsetGradients, shape, blockSize, reversed), isTransposed: true);
    }

    private static unsafe void Run<T>(in AffineScanProblem<T> problem, bool isTransposed) where T : unmanaged
    {
        IParaRnnBackend<T> backend = ParaRnnVariants<T>.Table.Select(problem.Options.Kernel);
        fixed (T* matrices = problem.Matrices, offsets = problem.Offsets, states = problem.States, initial = problem.Options.InitialState)
        fixed (int* lengths = problem.Options.Lengths)
        {
            var arrays = new AffineArrays<T>
            {
                Shape = problem.Shape,
                Direction = problem.Options.Direction,
                BlockSize = problem.BlockSize,
                IsTransposed = isTransposed,
                Matrices = matrices,
                Offsets = offsets,
                States = states,
                InitialState = initial,
                Lengths = lengths,
            };
            backend.Scan(arrays, problem.Options.Kernel);
        }
    }
}
