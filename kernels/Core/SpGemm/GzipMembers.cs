using System.Buffers.Binary;
using System.IO.Compression;

namespace Kernels.Core.SpGemm;

/// <summary>
/// What a gzip file holds, member after member (RFC 1952), each checked against its trailer of CRC-32 and length. (<see cref="GZipStream"/> takes data without
/// an end for whole.) As gzip does it, zeros and other bytes behind the last member are passed over.
/// </summary>
/// <param name="file">Seekable, at its beginning.</param>
/// <param name="name">For messages.</param>
/// <param name="leaveOpen">Whether the file stays open when this stream is disposed of.</param>
internal sealed class GzipMembers(Stream file, string name, bool leaveOpen = false) : ForwardStream
{
    private const byte DeflateMethod = 8;
    private const int TimeAndSystemBytes = 6, TrailerBytes = 8;
    private const byte HasHeaderCheck = 1 << 1, HasExtra = 1 << 2, HasName = 1 << 3, HasComment = 1 << 4, Reserved = 0xE0;

    private readonly PackedInput _packed = new(file);
    private DeflateStream? _member;
    private Crc32 _check;
    private uint _length;
    private bool _isBehindFirst;

    public static ReadOnlySpan<byte> Magic => [0x1F, 0x8B];

    public override int Read(Span<byte> buffer)
    {
        while (!buffer.IsEmpty && (_member is not null || TryBegin()))
        {
            int count = Unpack(buffer);
            if (count > 0)
            {
                _check.Add(buffer[..count]);
                _length += (uint)count;
                return count;
            }
            End();
        }
        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _member?.Dispose();
            if (!leaveOpen)
                _packed.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool TryBegin()
    {
        int first = _packed.ReadByte();
        while (first == 0 && _isBehindFirst)
            first = _packed.ReadByte();
        if (first != Magic[0] || _packed.ReadByte() != Magic[1])
            return _isBehindFirst ? false : throw Wrong("the data do not begin as gzip data do");
        if (Byte() != DeflateMethod)
            throw Wrong("the gzip data are compressed by an unknown method");
        int parts = Byte();
        if ((parts & Reserved) != 0)
            throw Wrong("the gzip header is damaged: reserved bits are set");
        Skip(TimeAndSystemBytes);
        if ((parts & HasExtra) != 0)
            Skip(Byte() | Byte() << 8);
        for (int texts = (parts & HasName) / HasName + (parts & HasComment) / HasComment; texts > 0; texts--)
        {
            while (Byte() != 0)
                continue;
        }
        if ((parts & HasHeaderCheck) != 0)
            Skip(sizeof(ushort));
        (_member, _check, _length, _isBehindFirst) = (new DeflateStream(_packed, CompressionMode.Decompress, leaveOpen: true), default, 0, true);
        return true;
    }

    private int Unpack(Span<byte> buffer)
    {
        try
        {
            return _member!.Read(buffer);
        }
        catch (InvalidDataException damaged)
        {
            throw Wrong("the gzip data are damaged", damaged);
        }
    }

    // The deflate data end somewhere within what was read last. Where, DeflateStream does not say; but what must follow them is known. (The trailer of a member
    // that holds nothing is zeros, and may be found a byte early: the byte left over passes for padding.)
    private void End()
    {
        Span<byte> trailer = stackalloc byte[TrailerBytes], tail = stackalloc byte[PackedInput.MostBytes + TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _check.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[sizeof(uint)..], _length);
        (long begin, int read) = (_packed.LastBegin, _packed.LastCount);
        _packed.Position = begin;
        int place = tail[.._packed.ReadAtLeast(tail[..(read + TrailerBytes)], read + TrailerBytes, throwOnEndOfStream: false)].IndexOf(trailer);
        if (place < 0)
            throw Wrong(_packed.Position == _packed.Length ? "the gzip data are cut short or damaged: no trailer with their check sum and length follows them"
                : "the gzip data are damaged: their check sum is another one");
        _packed.Position = begin + place + TrailerBytes;
        _member!.Dispose();
        _member = null;
    }

    private int Byte() => _packed.ReadByte() is >= 0 and int value ? value : throw Wrong("the gzip data are cut short, within a header");

    private void Skip(int count)
    {
        while (count-- > 0)
            Byte();
    }

    private TensorFileException Wrong(string reason, Exception? inner = null) => new(name, null, _packed.Position, reason, inner);

    /// <summary>Remembers where the last piece was that anyone has read.</summary>
    private sealed class PackedInput(Stream file) : ForwardStream
    {
        /// <summary>The most bytes that are read at once: as many as DeflateStream asks for, which takes a tenth longer with half of them.</summary>
        public const int MostBytes = 8192;

        public long LastBegin { get; private set; }

        public int LastCount { get; private set; }

        public override long Length => file.Length;

        public override long Position { get => file.Position; set => file.Position = value; }

        public override int Read(Span<byte> buffer)
        {
            LastBegin = file.Position;
            return LastCount = file.Read(buffer[..Math.Min(buffer.Length, MostBytes)]);
        }

        public override int ReadByte() => file.ReadByte();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                file.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>A stream that can be read, and nothing else.</summary>
internal abstract class ForwardStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
