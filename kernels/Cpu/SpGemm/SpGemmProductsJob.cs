using System.Runtime.CompilerServices;
using Kernels.Core.SpGemm;
using Kernels.Core.Threading;

namespace Kernels.Cpu.SpGemm;

/// <summary>Counts the products of each row, and the least number of entries that rows must have: those of the longest right row in them.</summary>
internal unsafe struct SpGemmProductsJob<T> : IRangeJob where T : unmanaged
{
    public CsrRows<T> Left, Right;

    /// <summary>Of row r at r + 1.</summary>
    public long* Products;

    /// <summary>One sum of all threads; cannot pass 2^62, since neither rows nor columns pass 2^31.</summary>
    public long* LeastEntries;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run(long begin, long end)
    {
        long least = 0;
        for (long row = begin; row < end; row++)
        {
            long products = 0, longest = 0;
            for (long k = Left.RowPointers[row]; k < Left.RowPointers[row + 1]; k++)
            {
                long length = Right.Length(Left.Columns[k]);
                products += length;
                longest = Math.Max(longest, length);
            }
            Products[row + 1] = products;
            least += longest;
        }
        Interlocked.Add(ref *LeastEntries, least);
    }
}
