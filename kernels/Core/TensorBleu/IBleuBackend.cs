using System.Numerics;

namespace Kernels.Core.TensorBleu;

/// <summary>One way to count n-gram matches, for one type of token ids. Arguments were checked at the door and are pinned for the call.</summary>
internal interface IBleuBackend<T> where T : unmanaged, IBinaryInteger<T>
{
    /// <summary>Statistics of each candidate.</summary>
    /// <param name="rows">Candidates and references.</param>
    /// <param name="prepared">What <see cref="Prepare"/> made of these references, or null.</param>
    /// <param name="results">Takes each candidate's.</param>
    /// <param name="workspace">Scratch, which grows on first use.</param>
    /// <param name="threads">At least 1.</param>
    /// <param name="cancellation">Ends the work between candidates.</param>
    void Count(in BleuRows<T> rows, object? prepared, in BleuResults results, BleuWorkspace workspace, int threads, CancellationToken cancellation);

    /// <summary>What can be computed of references ahead of any candidate; null if nothing. Immutable.</summary>
    object? Prepare(in BleuRows<T> rows, int groupCount);
}
