namespace Kernels.Gpu;

/// <summary>Token ids of several sequences in a device's memory. Not safe for use while it is disposed.</summary>
public sealed class GpuTokens : IDisposable
{
    private readonly GpuBuffer<int> _tokens, _ranges;

    private GpuTokens(GpuDevice device, TokenBatch<int> batch)
    {
        Device = device;
        Lengths = new int[batch.Count];
        // One more, so that there is memory even for nothing.
        var ranges = new int[2 * batch.Count + 1];
        for (int i = 0; i < batch.Count; i++)
        {
            ReadOnlySpan<int> sequence = batch[i];
            Lengths[i] = batch.IsPadded ? sequence.LastIndexOfAnyExcept(batch.PadToken) + 1 : sequence.Length;
            ranges[2 * i] = batch.IsPadded ? i * batch.RowLength : batch.Offsets[i];
            ranges[2 * i + 1] = ranges[2 * i] + Lengths[i];
        }
        _ranges = device.Allocate<int>(ranges);
        _tokens = device.Allocate<int>(Math.Max(1, batch.Tokens.Length));
        _tokens.CopyFrom(batch.Tokens);
    }

    /// <summary>Copies sequences to a device; padding at their ends is left out of them.</summary>
    /// <param name="device">Must outlive the result.</param>
    /// <param name="batch">Ragged or padded. A pad token elsewhere is a token like any other.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public static GpuTokens Upload(GpuDevice device, TokenBatch<int> batch)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new GpuTokens(device, batch);
    }

    /// <summary>The device whose memory holds them.</summary>
    public GpuDevice Device { get; }

    /// <summary>The number of sequences.</summary>
    public int Count => Lengths.Length;

    internal int[] Lengths { get; }

    internal ILGPU.ArrayView<int> Tokens => _tokens.View<int>();

    /// <summary>[sequences][2]: where each begins and ends.</summary>
    internal ILGPU.ArrayView<int> Ranges => _ranges.View<int>();

    /// <inheritdoc/>
    public void Dispose()
    {
        _tokens.Dispose();
        _ranges.Dispose();
    }
}

/// <summary>The references of several candidates in a device's memory. Not safe for use while it is disposed.</summary>
public sealed class GpuBleuReferences : IDisposable
{
    private readonly GpuBuffer<int> _groupOffsets;

    private GpuBleuReferences(GpuDevice device, BleuReferences<int> references)
    {
        Sequences = GpuTokens.Upload(device, references.Sequences);
        bool dropsEmpty = references.Sequences.IsPadded && !references.KeepEmptyRows;
        Groups = new int[references.GroupCount][];
        GroupOffsets = new int[references.GroupCount + 1];
        for (int group = 0; group < references.GroupCount; group++)
        {
            (int first, int count) = references.Group(group);
            GroupOffsets[group] = first;
            GroupOffsets[group + 1] = first + count;
            // Lengths of what is a reference: rows of padding alone are none, unless they are kept.
            Groups[group] = [.. Sequences.Lengths.AsSpan(first, count).ToArray().Where(length => length > 0 || !dropsEmpty)];
        }
        _groupOffsets = device.Allocate<int>(GroupOffsets);
    }

    /// <summary>Copies references to a device.</summary>
    /// <param name="device">Must outlive the result.</param>
    /// <param name="references">Of any number for each candidate.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public static GpuBleuReferences Upload(GpuDevice device, BleuReferences<int> references)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new GpuBleuReferences(device, references);
    }

    /// <summary>The number of candidates that the references are for.</summary>
    public int GroupCount => Groups.Length;

    internal GpuTokens Sequences { get; }

    internal ILGPU.ArrayView<int> Offsets => _groupOffsets.View<int>();

    private int[] GroupOffsets { get; }

    private int[][] Groups { get; }

    /// <summary>The length of the reference closest in length, the shorter of two; 0 without references.</summary>
    internal long ClosestLength(int group, long candidateLength)
    {
        long closest = 0, distance = long.MaxValue;
        foreach (int length in Groups[group])
        {
            long other = Math.Abs(length - candidateLength);
            if (other < distance || (other == distance && length < closest))
                (closest, distance) = (length, other);
        }
        return closest;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Sequences.Dispose();
        _groupOffsets.Dispose();
    }
}
