using System.Runtime.CompilerServices;

namespace Kernels.Core.TensorBleu;

/// <summary>One number for each n-gram order; element 0 is order 1.</summary>
[InlineArray(BleuOptions.LargestOrder)]
internal struct OrderCounts
{
    private long _first;
}
