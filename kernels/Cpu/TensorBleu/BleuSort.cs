using System.Numerics;
using Kernels.Core.TensorBleu;
using Kernels.Core.Threading;

namespace Kernels.Cpu.TensorBleu;

/// <summary>The sort variant's driver: hands candidates to threads.</summary>
internal sealed unsafe class BleuSort<T> : IBleuBackend<T> where T : unmanaged, IBinaryInteger<T>
{
    public void Count(in BleuRows<T> rows, object? prepared, in BleuResults results, BleuWorkspace workspace, int threads, CancellationToken cancellation)
    {
        ScratchLanes lanes = workspace.Rent(this, threads, rows.LargestGroup, rows.LongestCandidate, &BleuSortJob<T>.Bytes);
        var job = new BleuSortJob<T>(rows, results, lanes, (long)workspace.LargestGroup + workspace.LongestCandidate);
        RangeRunner.Run(job, rows.Candidates.Count, BleuTuning.Grain(rows.LongestCandidate), threads, cancellation);
    }

    /// <summary>Nothing: references and candidate are sorted together.</summary>
    public object? Prepare(in BleuRows<T> rows, int groupCount) => null;
}
