using Kernels.Cpu.Simd;

namespace Kernels.Cpu.ParaRnn;

/// <summary>The number of rows of a square block, as a type argument, so that loops over it are unrolled.</summary>
internal interface IBlockSize
{
    static abstract int Size { get; }
}

/// <summary>The block of a cell's Jacobian.</summary>
internal readonly struct CellBlock<TCell> : IBlockSize where TCell : struct, IRnnCell
{
    public static int Size => TCell.StateCount;
}

internal readonly struct Block1 : IBlockSize
{
    public static int Size => 1;
}

internal readonly struct Block2 : IBlockSize
{
    public static int Size => 2;
}

internal readonly struct Block3 : IBlockSize
{
    public static int Size => 3;
}

internal readonly struct Block4 : IBlockSize
{
    public static int Size => 4;
}

/// <summary>
/// The scan of affine maps h -> A h + b on one register of lanes, which are stretches of one sequence: for Newton's method, which checks what comes of it.
/// Matrices are [steps, size, size, lanes], vectors [steps, size, lanes]. Each lane first composes its own maps (<see cref="Compose"/>), then the states
/// between lanes follow from their totals (<see cref="Chain"/>), then all states from these (<see cref="Apply"/>). Composed factors may leave the range of T,
/// and composed offsets cancel, where the states step by step do neither.
/// </summary>
internal static unsafe class AffineKernels<TBlock, TSimd, V, T>
    where TBlock : struct, IBlockSize
    where TSimd : struct, ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    private static V At(T* rows, int index) => TSimd.Load(ref *rows, (nuint)(index * TSimd.Count));

    private static void Put(V value, T* rows, int index) => TSimd.Store(value, ref *rows, (nuint)(index * TSimd.Count));

    /// <summary>In place: each map becomes its composition with all before it: A[t] = A[t] A[t-1], b[t] = A[t] b[t-1] + b[t].</summary>
    public static void Compose(T* matrices, T* vectors, int steps)
    {
        int size = TBlock.Size, width = TSimd.Count;
        V* column = stackalloc V[TBlock.Size];
        for (int t = 1; t < steps; t++)
        {
            T* a = matrices + t * size * size * width, before = a - size * size * width;
            T* b = vectors + t * size * width, bBefore = b - size * width;
            for (int i = 0; i < size; i++)
            {
                V sum = At(b, i);
                for (int k = 0; k < size; k++)
                    sum = TSimd.MultiplyAdd(At(a, i * size + k), At(bBefore, k), sum);
                Put(sum, b, i);
            }
            for (int i = 0; i < size; i++)
            {
                for (int j = 0; j < size; j++)
                {
                    V sum = TSimd.Multiply(At(a, i * size), At(before, j));
                    for (int k = 1; k < size; k++)
                        sum = TSimd.MultiplyAdd(At(a, i * size + k), At(before, k * size + j), sum);
                    column[j] = sum;
                }
                for (int j = 0; j < size; j++)
                    Put(column[j], a, i * size + j);
            }
        }
    }

    /// <summary>
    /// The state before each lane, [size, lanes]. Lanes l and l + <paramref name="channels"/> are stretches of one channel that follow one another; the states
    /// before the first ones are given.
    /// </summary>
    public static void Chain(T* matrix, T* vector, T* starts, int channels)
    {
        int size = TBlock.Size, width = TSimd.Count;
        for (int lane = channels; lane < width; lane++)
        {
            int from = lane - channels;
            for (int i = 0; i < size; i++)
            {
                T sum = vector[i * width + from];
                for (int k = 0; k < size; k++)
                    sum = SimdScalar<T>.MultiplyAdd(matrix[(i * size + k) * width + from], starts[k * width + from], sum);
                starts[i * width + lane] = sum;
            }
        }
    }

    /// <summary>From composed maps and the states before the lanes: vectors[t] = A[t] start + b[t].</summary>
    public static void Apply(T* matrices, T* vectors, T* starts, int steps)
    {
        int size = TBlock.Size, width = TSimd.Count;
        for (int t = 0; t < steps; t++)
        {
            T* a = matrices + t * size * size * width, b = vectors + t * size * width;
            for (int i = 0; i < size; i++)
            {
                V sum = At(b, i);
                for (int k = 0; k < size; k++)
                    sum = TSimd.MultiplyAdd(At(a, i * size + k), At(starts, k), sum);
                Put(sum, b, i);
            }
        }
    }
}
