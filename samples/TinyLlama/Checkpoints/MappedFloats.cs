using System.Buffers;

namespace TinyLlama;

/// <summary>Floats of a mapped file as memory; valid as long as the mapping.</summary>
internal sealed unsafe class MappedFloats(float* start, int count) : MemoryManager<float>
{
    /// <summary>The same floats as memory; they must lie in a mapping, which does not move.</summary>
    public static Memory<float> Over(ReadOnlySpan<float> mapped)
    {
        fixed (float* start = mapped)
            return new MappedFloats(start, mapped.Length).Memory;
    }

    public override Span<float> GetSpan() => new(start, count);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
