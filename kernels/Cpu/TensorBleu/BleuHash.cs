using System.Numerics;
using System.Runtime.InteropServices;
using Kernels.Core.TensorBleu;
using Kernels.Core.Threading;

namespace Kernels.Cpu.TensorBleu;

/// <summary>The hash variant's driver: hands candidates to threads.</summary>
internal sealed unsafe class BleuHash<T> : IBleuBackend<T> where T : unmanaged, IBinaryInteger<T>
{
    public void Count(in BleuRows<T> rows, object? prepared, in BleuResults results, BleuWorkspace workspace, int threads, CancellationToken cancellation)
    {
        ScratchLanes lanes = workspace.Rent(this, threads, rows.LargestGroup, rows.LongestCandidate, &BleuHashScratch.Bytes);
        GCHandle handle = prepared is null ? default : GCHandle.Alloc(prepared);
        try
        {
            var job = new BleuHashJob<T>(rows, handle, results, lanes, workspace.LargestGroup, workspace.LongestCandidate);
            RangeRunner.Run(job, rows.Candidates.Count, BleuTuning.Grain(rows.LongestCandidate), threads, cancellation);
        }
        finally
        {
            if (handle.IsAllocated)
                handle.Free();
        }
    }

    public object Prepare(in BleuRows<T> rows, int groupCount) => new PreparedNgrams<T>(rows, groupCount);
}
