using System.Buffers;

namespace TinyLlama;

/// <summary>Floats of a mapped file as memory; valid as long as the mapping.</summary>
internal sealed unsafe class MappedFloats(float* start, int count) : MemoryManager<float>
{
    public override Span<float> GetSpan() => new(start, count);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
