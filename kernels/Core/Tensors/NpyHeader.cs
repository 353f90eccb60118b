using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Kernels.Core.Tensors;

/// <summary>
/// The head of a NumPy file (numpy.lib.format): magic bytes, a version (2 bytes), the length of the header (2 bytes little-endian in version 1, 4 in versions 2
/// and 3), and the header, a Python dictionary: {'descr': '&lt;f4', 'fortran_order': False, 'shape': (2, 3), }. The elements follow.
/// </summary>
internal static class NpyHeader
{
    private const string TypeKey = "descr", OrderKey = "fortran_order", ShapeKey = "shape";
    private const int VersionOffset = 6, LengthOffset = 8, HeaderAlignment = 64;

    /// <summary>A header longer than this describes no plain array: NumPy itself allows 32 dimensions (64 since version 2).</summary>
    public const int LargestHeader = 1 << 16;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads and checks the head of a file.</summary>
    /// <param name="file">The name for messages.</param>
    /// <param name="head">The file from its first byte on, at least to the end of the header if it is that long.</param>
    /// <param name="fileLength">The length of the whole file.</param>
    /// <exception cref="TensorFileException">It is not a plain array in C order that fills the file.</exception>
    public static TensorInfo Parse(string file, ReadOnlySpan<byte> head, long fileLength)
    {
        if (head.Length < LengthOffset + sizeof(uint) || !head.StartsWith(Magic))
            throw new TensorFileException(file, null, 0, FileKind.Name(head) ?? "this is not a NumPy file");
        int version = head[VersionOffset];
        if (version is < 1 or > 3)
            throw new TensorFileException(file, null, VersionOffset, $"version {version} of the format is none of 1, 2 and 3");
        long length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(head[LengthOffset..])
            : BinaryPrimitives.ReadUInt32LittleEndian(head[LengthOffset..]);
        int start = LengthOffset + (version == 1 ? sizeof(ushort) : sizeof(uint));
        if (length > LargestHeader || start + length > fileLength)
            throw new TensorFileException(file, null, LengthOffset,
                $"a header of {length} bytes does not fit a file of {fileLength}, or exceeds the limit of {LargestHeader}");
        string name = Path.GetFileNameWithoutExtension(file);
        TensorInfo tensor = new NpyDictionary(file, Encoding.UTF8.GetString(head.Slice(start, (int)length)), start).Read(name);
        long dataStart = start + length;
        if (tensor.ByteCount != fileLength - dataStart)
            throw new TensorFileException(file, null, dataStart,
                $"{fileLength - dataStart} bytes follow the header, but {tensor.ShapeText} of {tensor.Type} take {tensor.ByteCount}");
        return new TensorInfo(tensor, dataStart);
    }

    /// <summary>The head of a file with that array, version 1, or 2 where the shape takes more.</summary>
    public static byte[] Create(string type, ReadOnlySpan<long> shape)
    {
        var text = new StringBuilder($"{{'{TypeKey}': '{type}', '{OrderKey}': False, '{ShapeKey}': (");
        foreach (long dimension in shape)
            text.Append(CultureInfo.InvariantCulture, $"{dimension}, ");
        text.Append("), }");
        int start = LengthOffset + sizeof(ushort);
        bool isVersion1 = start + text.Length + HeaderAlignment <= ushort.MaxValue;
        start += isVersion1 ? 0 : sizeof(uint) - sizeof(ushort);
        // Spaces and a final line feed bring the elements to a multiple of 64.
        int total = (start + text.Length + 1 + HeaderAlignment - 1) / HeaderAlignment * HeaderAlignment;
        text.Append(' ', total - start - text.Length - 1).Append('\n');
        var head = new byte[total];
        Magic.CopyTo(head);
        head[VersionOffset] = (byte)(isVersion1 ? 1 : 2);
        if (isVersion1)
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(LengthOffset), (ushort)(total - start));
        else
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(LengthOffset), (uint)(total - start));
        Encoding.ASCII.GetBytes(text.ToString(), head.AsSpan(start));
        return head;
    }

    /// <summary>The dictionary, read from left to right.</summary>
    private ref struct NpyDictionary(string file, string text, int start)
    {
        private int _position;

        public TensorInfo Read(string name)
        {
            TensorType? type = null;
            bool? isFortran = null;
            long[]? shape = null;
            Expect('{');
            while (!Accept('}'))
            {
                string key = ReadString();
                Expect(':');
                switch (key)
                {
                    case TypeKey when type is null: type = ReadType(); break;
                    case OrderKey when isFortran is null: isFortran = ReadOrder(); break;
                    case ShapeKey when shape is null: shape = ReadShape(); break;
                    default: throw Fault($"'{key}' is unknown or there twice");
                }
                if (!Accept(','))
                {
                    Expect('}');
                    break;
                }
            }
            if (Peek() != '\0')
                throw Fault("something follows the dictionary");
            if (type is null || isFortran is null || shape is null)
                throw Fault($"needs {TypeKey}, {OrderKey} and {ShapeKey}");
            if (!TensorInfo.TryCount(shape, TensorTypes.Bits(type.Value), out _))
                throw Fault($"the shape ({string.Join(", ", shape)}) has more elements than there can be");
            return new TensorInfo(name, type.Value, shape);
        }

        private TensorType ReadType()
        {
            if (Peek() != '\'' && Peek() != '"')
                throw Fault("elements are structures, not numbers");
            string type = ReadString();
            return TensorTypes.FromNumPy(type) ?? throw Fault($"elements of type '{type}' are not supported: little-endian numbers of NumPy's own types are");
        }

        private bool ReadOrder()
        {
            if (AcceptWord("True"))
                throw Fault("fortran_order is True: the array is in Fortran order; save numpy.ascontiguousarray of it");
            return AcceptWord("False") ? false : throw Fault($"{OrderKey} is neither True nor False");
        }

        private long[] ReadShape()
        {
            var shape = new List<long>();
            Expect('(');
            while (!Accept(')'))
            {
                shape.Add(ReadNumber());
                if (!Accept(','))
                {
                    Expect(')');
                    break;
                }
            }
            return [.. shape];
        }

        private long ReadNumber()
        {
            Peek();
            int first = _position;
            while (_position < text.Length && char.IsAsciiDigit(text[_position]))
                _position++;
            ReadOnlySpan<char> digits = text.AsSpan(first, _position - first);
            // Python 2 wrote its long integers so.
            if (_position < text.Length && text[_position] == 'L')
                _position++;
            return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                ? number
                : throw Fault("a dimension is not a number from 0 to 2^63 - 1");
        }

        private string ReadString()
        {
            char quote = Peek();
            int end = quote is '\'' or '"' ? text.IndexOf(quote, _position + 1) : -1;
            if (end < 0)
                throw Fault("a quoted string is needed");
            string value = text[(_position + 1)..end];
            _position = end + 1;
            return value;
        }

        private bool AcceptWord(string word)
        {
            Peek();
            bool isThere = text.AsSpan(_position).StartsWith(word, StringComparison.Ordinal);
            _position += isThere ? word.Length : 0;
            return isThere;
        }

        private bool Accept(char expected)
        {
            bool isThere = Peek() == expected;
            _position += isThere ? 1 : 0;
            return isThere;
        }

        private void Expect(char expected)
        {
            if (!Accept(expected))
                throw Fault($"'{expected}' is needed");
        }

        // The next character that is no space, NUL at the end.
        private char Peek()
        {
            while (_position < text.Length && text[_position] is ' ' or '\n')
                _position++;
            return _position < text.Length ? text[_position] : '\0';
        }

        private readonly TensorFileException Fault(string reason) => new(file, null, start + _position, reason);
    }
}
