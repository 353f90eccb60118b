using System.Text;
using Kernels.Core.Tensors;

namespace Kernels.Tests;

/// <summary>NumPy files: what is written comes back, what other writers produce is understood, the rest is refused by name.</summary>
public sealed class NpyTests
{
    [Fact]
    public void EveryTypeComesBack()
    {
        using var folder = new TemporaryFolder();
        ComesBack<float>([1, 2, 3, 4, 5, float.NaN], 2, 3);
        ComesBack<double>([1e300]);
        ComesBack<Half>([(Half)1, (Half)2], 2);
        ComesBack<sbyte>([-1, 2], 1, 2, 1);
        ComesBack<byte>([255], 1);
        ComesBack<short>([], 0, 3);
        ComesBack<ushort>([1], 1);
        ComesBack<int>([int.MinValue], 1);
        ComesBack<uint>([uint.MaxValue], 1);
        ComesBack<long>([long.MinValue], 1);
        ComesBack<ulong>([ulong.MaxValue], 1);
        ComesBack<bool>([true, false], 2);

        void ComesBack<T>(T[] elements, params long[] shape) where T : unmanaged
        {
            string path = folder.File("array.npy");
            NpyWriter.Write<T>(path, elements, shape);
            using NpyReader reader = NpyReader.Open(path);
            Assert.Equal(shape, reader.Tensor.Shape);
            Assert.Equal("array", reader.Tensor.Name);
            Assert.Equal(elements, reader.Elements<T>().ToArray());
            Assert.Equal(0, reader.Tensor.Offset % 64);
        }
    }

    [Fact]
    public void TheHeadIsNumPysOwn()
    {
        // What numpy.save writes for numpy.zeros((2, 3), numpy.float32), up to the padding.
        string head = Encoding.Latin1.GetString(NpyHeader.Create("<f4", [2, 3]));
        Assert.StartsWith("\u0093NUMPY\u0001\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, ), }", head, StringComparison.Ordinal);
        Assert.EndsWith(" \n", head, StringComparison.Ordinal);
        Assert.Equal(128, head.Length);
    }

    [Fact]
    public void LongShapesTakeVersionTwo()
    {
        long[] shape = [.. Enumerable.Repeat(1L, 30_000)];
        byte[] head = NpyHeader.Create("<f4", shape);
        Assert.Equal(2, head[6]);
    }

    [Theory]
    [InlineData(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }")]
    [InlineData(2, "{\"shape\":(2),\"fortran_order\":False,\"descr\":\"<f4\"}")]
    [InlineData(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }")]
    [InlineData(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }")]
    [InlineData(3, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }     \n")]
    public void OtherWritersHeadersAreUnderstood(int version, string header)
    {
        byte[] file = FileOf(version, header, dataLength: 8);
        TensorInfo tensor = NpyHeader.Parse("f.npy", file, file.Length);
        Assert.Equal((TensorType.Float32, 2, file.Length - 8), (tensor.Type, tensor.ElementCount, tensor.Offset));
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "Fortran order")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", ">f4")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "structures")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "12")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "dimension")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "dimension")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "more elements")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (L,), }", "dimension")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2LL,), }", "')'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "needs")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "twice")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "follows")]
    [InlineData("{'descr': '<f4", "quoted")]
    [InlineData("", "'{'")]
    public void TheRestIsRefused(string header, string reason)
    {
        byte[] file = FileOf(1, header, dataLength: 8);
        Assert.Contains(reason, Assert.Throws<TensorFileException>(() => NpyHeader.Parse("f", file, file.Length)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongArgumentsAreRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.npy");
        Assert.Throws<ArgumentException>(() => NpyWriter.Write<float>(path, [1, 2], 3));
        Assert.Throws<NotSupportedException>(() => NpyWriter.Write<BrainFloat16>(path, [default], 1));
        Assert.Empty(folder.FileNames);
        NpyWriter.Write<float>(path, [1, 2], 2);
        using NpyReader reader = NpyReader.Open(path);
        Assert.Throws<TensorFileException>(() => reader.Elements<double>().Length);
    }

    internal static byte[] FileOf(int version, string header, int dataLength)
    {
        int length = header.Length;
        byte[] lengths = version == 1 ? [(byte)length, (byte)(length >> 8)] : [(byte)length, (byte)(length >> 8), 0, 0];
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. lengths, .. Encoding.Latin1.GetBytes(header), .. new byte[dataLength]];
    }
}
