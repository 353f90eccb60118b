using System.Buffers.Binary;

namespace Kernels.Core.SpGemm;

/// <summary>
/// The CRC-32 of gzip (RFC 1952, section 8): by products without carries where the processor has them (<see cref="Crc32Simd"/>), else eight bytes at a time by
/// eight tables (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008).
/// </summary>
internal struct Crc32
{
    // x^32 + x^26 + x^23 + ... + 1, lowest power in the highest bit.
    private const uint Polynomial = 0xEDB8_8320;
    private const int Values = 256;

    // Table k: what a byte becomes when k bytes of zeros follow it.
    private static readonly uint[] s_tables = Tables();

    /// <summary>Of all bytes added; 0 for none.</summary>
    public uint Value { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~Value;
        if (Crc32Simd.IsSupported && bytes.Length >= Crc32Simd.LeastBytes)
        {
            Span<byte> remainder = stackalloc byte[Crc32Simd.RemainderBytes];
            bytes = bytes[Crc32Simd.Fold(crc, bytes, remainder)..];
            crc = AddByTables(0, remainder);
        }
        Value = ~AddByTables(crc, bytes);
    }

    private static uint AddByTables(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] tables = s_tables;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            ulong next = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            crc = tables[7 * Values + (byte)next] ^ tables[6 * Values + (byte)(next >> 8)] ^ tables[5 * Values + (byte)(next >> 16)] ^ tables[4 * Values
                + (byte)(next >> 24)]
                ^ tables[3 * Values + (byte)(next >> 32)] ^ tables[2 * Values + (byte)(next >> 40)] ^ tables[Values + (byte)(next >> 48)] ^ tables[next >> 56];
        }
        foreach (byte value in bytes)
            crc = tables[(byte)crc ^ value] ^ (crc >> 8);
        return crc;
    }

    private static uint[] Tables()
    {
        var tables = new uint[sizeof(ulong) * Values];
        for (uint i = 0; i < tables.Length; i++)
        {
            uint crc = i < Values ? i : tables[i - Values];
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (Polynomial & (0 - (crc & 1)));
            tables[i] = crc;
        }
        return tables;
    }
}
