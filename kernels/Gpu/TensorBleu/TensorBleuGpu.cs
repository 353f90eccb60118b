using ILGPU;
using ILGPU.Runtime;
using Kernels.Core.TensorBleu;

namespace Kernels.Gpu;

/// <summary>BLEU of token ids (arXiv 2510.05485) that lie on a device, or are copied there.</summary>
/// <remarks>
/// <para>Matches are counted on the device, a group of threads for each candidate and order, and are those of <see cref="TensorBleu"/> to the count; lengths
/// are known on the host, and scores are computed there, in double: they are the same numbers. Ids are <see cref="int"/>.
/// <see cref="BleuOptions.TensorBleuCompatible"/> is refused with a <see cref="NotSupportedException"/>.</para>
/// <para>Work O(orders T (T + R)) for T tokens of a candidate and R of its references, shared by the threads of a group: made for sentences and paragraphs, not
/// for whole books as one candidate. No tables, no atomic operations; the result does not depend on scheduling.</para>
/// <para>Scratch memory holds the counts of the candidates of one launch; more candidates take several. Not safe for concurrent use. Bad arguments throw an
/// <see cref="ArgumentException"/> that names the parameter, before anything is written.</para>
/// </remarks>
public sealed class TensorBleuGpu : IDisposable
{
    /// <summary>The default number of candidates of one launch.</summary>
    public const int DefaultCandidatesPerLaunch = 4096;

    private readonly int _candidatesPerLaunch;
    private readonly GpuBuffer<int> _matches;
    private readonly Lazy<Action<KernelConfig, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, int,
        int>> _countMatches;

    /// <summary>Takes scratch memory on the device: four bytes for each candidate of a launch and each of 8 orders.</summary>
    /// <param name="device">The device to run on; it must outlive this object.</param>
    /// <param name="candidatesPerLaunch">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="candidatesPerLaunch"/> is below 1 or above 2^24.</exception>
    public TensorBleuGpu(GpuDevice device, int candidatesPerLaunch = DefaultCandidatesPerLaunch)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(candidatesPerLaunch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(candidatesPerLaunch, 1 << 24);
        Device = device;
        _candidatesPerLaunch = candidatesPerLaunch;
        _matches = device.Allocate<int>((long)candidatesPerLaunch * BleuOptions.LargestOrder);
        _countMatches = new(() => device.Accelerator.LoadStreamKernel<ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>,
            ArrayView<int>, int, int>(
            BleuGpuKernels.CountMatches));
    }

    /// <summary>The device it runs on.</summary>
    public GpuDevice Device { get; }

    /// <summary>The size of the scratch memory on the device, in bytes.</summary>
    public long ScratchBytes => _matches.Length * sizeof(int);

    /// <summary>Counts on the device, waits, and gives the statistics of each candidate.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">Of as many candidates.</param>
    /// <param name="statistics">At least [candidates].</param>
    /// <param name="options">Orders; a token is looked at before each launch, threads have no meaning here.</param>
    /// <exception cref="ArgumentException">Counts disagree, an option is out of range, or something belongs to another device.</exception>
    public void Statistics(GpuTokens candidates, GpuBleuReferences references, Span<BleuStatistics> statistics, BleuOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(references);
        GpuChecks.Same(Device, candidates.Device, nameof(candidates));
        GpuChecks.Same(Device, references.Sequences.Device, nameof(references));
        BleuChecks.Options(options);
        BleuChecks.Groups(candidates.Count, references.GroupCount);
        if (statistics.Length < candidates.Count)
            throw new ArgumentException($"{statistics.Length} elements are too few: {candidates.Count} are written", nameof(statistics));
        if (options.TensorBleuCompatible)
            throw new NotSupportedException($"{nameof(options.TensorBleuCompatible)} has no GPU kernels; the managed backend serves it.");
        GpuChecks.Variant(options.Kernel, GpuVariants.TensorBleu);
        int orderCount = options.CountedOrder;
        for (int first = 0; first < candidates.Count; first += _candidatesPerLaunch)
        {
            options.Kernel.CancellationToken.ThrowIfCancellationRequested();
            Count(candidates, references, first, Math.Min(_candidatesPerLaunch, candidates.Count - first), orderCount, statistics);
        }
    }

    /// <summary>Statistics of all candidates together, copied to the device for this call: as <see cref="TensorBleu.Accumulate"/>.</summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="references">Of as many candidates.</param>
    /// <param name="options">Orders.</param>
    /// <exception cref="ArgumentException">Counts disagree, or an option is out of range.</exception>
    public BleuStatistics Accumulate(TokenBatch<int> candidates, BleuReferences<int> references, BleuOptions options = default)
    {
        using GpuTokens tokens = GpuTokens.Upload(Device, candidates);
        using GpuBleuReferences uploaded = GpuBleuReferences.Upload(Device, references);
        var statistics = new BleuStatistics[candidates.Count];
        Statistics(tokens, uploaded, statistics, options);
        BleuStatistics whole = default;
        foreach (BleuStatistics sentence in statistics)
            whole += sentence;
        return whole;
    }

    /// <summary>Frees the scratch memory.</summary>
    public void Dispose() => _matches.Dispose();

    private void Count(GpuTokens candidates, GpuBleuReferences references, int first, int count, int orderCount, Span<BleuStatistics> statistics)
    {
        var config = new KernelConfig(count * orderCount, GpuGroup.SizeOn(Device.Accelerator));
        _countMatches.Value(config, candidates.Tokens, candidates.Ranges, references.Sequences.Tokens, references.Sequences.Ranges, references.Offsets,
            _matches.View<int>(), first, orderCount);
        var matches = new int[count * orderCount];
        _matches.CopyTo(matches);
        for (int i = 0; i < count; i++)
            statistics[first + i] = Of(matches.AsSpan(i * orderCount, orderCount), candidates.Lengths[first + i], references, first + i);
    }

    private static BleuStatistics Of(ReadOnlySpan<int> matches, long length, GpuBleuReferences references, int candidate)
    {
        OrderCounts kept = default, totals = default, without = default;
        for (int i = 0; i < matches.Length; i++)
        {
            totals[i] = Math.Max(0, length - i);
            (kept[i], without[i]) = (matches[i], totals[i] == 0 ? 1 : 0);
        }
        return new BleuStatistics(matches.Length, 1, length, references.ClosestLength(candidate, length), kept, totals, without);
    }
}
