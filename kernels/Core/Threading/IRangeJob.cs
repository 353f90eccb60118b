namespace Kernels.Core.Threading;

/// <summary>
/// Work over the items [0, count), of which any sub-range can be done on any thread in any order with the same result. An unmanaged struct:
/// it carries pointers that the caller has pinned for the duration of the call.
/// </summary>
internal interface IRangeJob
{
    /// <summary>Does the items [begin, end).</summary>
    void Run(long begin, long end);
}
