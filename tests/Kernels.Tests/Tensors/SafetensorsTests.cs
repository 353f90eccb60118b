using System.Buffers.Binary;
using System.Text;
using Kernels.Core.Tensors;

namespace Kernels.Tests;

/// <summary>Safetensors files: what is written comes back without a copy, and what is malformed is refused by name and place.</summary>
public sealed class SafetensorsTests
{
    [Fact]
    public void WhatIsWrittenComesBack()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("model.safetensors");
        float[] matrix = [1, -2, float.NaN, 4, 5, 6];
        Half[] halves = [(Half)1.5f];
        BrainFloat16[] bfloats = [(BrainFloat16)2f, (BrainFloat16)3f, (BrainFloat16)4f];
        int[] integers = [.. Enumerable.Range(0, 64)];
        TensorInfo[] tensors =
        [
            new("scalar \"half\" é", TensorType.Float16),
            new("b", TensorType.BFloat16, 3),
            new("matrix", TensorType.Float32, 2, 3),
            new("integers", TensorType.Int32, 4, 16),
            new("empty", TensorType.Float64, 5, 0),
            new("e4m3", TensorType.Float8E4M3, 2),
        ];
        using (var writer = SafetensorsWriter.Create(path, tensors, new Dictionary<string, string> { ["format"] = "pt" }))
        {
            writer.Write<int>("integers", integers);
            writer.Write<float>("matrix", matrix);
            writer.Write<Half>("scalar \"half\" é", halves);
            writer.Write<BrainFloat16>("b", bfloats);
            writer.Write<double>("empty", []);
            writer.Write<byte>("e4m3", [0x38, 0xB8]);
            Assert.False(File.Exists(path));
            writer.Commit();
        }
        Assert.Equal(["model.safetensors"], folder.FileNames);
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        Assert.Equal("pt", reader.Metadata["format"]);
        Assert.Equal(tensors.Select(t => t.Name).Order(), reader.Tensors.Select(t => t.Name).Order());
        Assert.Equal([2, 3], reader.Find("matrix").Shape);
        Assert.Empty(reader.Find("scalar \"half\" é").Shape);
        Assert.Equal(matrix, reader.Elements<float>("matrix"));
        Assert.Equal(matrix[2..5], reader.Elements<float>("matrix", 2, 3));
        Assert.Equal(halves, reader.Elements<Half>("scalar \"half\" é"));
        Assert.Equal(bfloats, reader.Elements<BrainFloat16>("b"));
        Assert.Equal(integers, reader.Elements<int>("integers"));
        Assert.Equal([0x38, 0xB8], reader.Elements<byte>("e4m3").ToArray());
        Assert.True(reader.Elements<double>("empty").IsEmpty);
        // 256 bytes are whole cache lines, 24 bytes three words: each begins at a multiple of what divides its size.
        Assert.Equal(0, reader.Find("integers").Offset % 64);
        Assert.Equal(0, reader.Find("matrix").Offset % 8);
    }

    [Fact]
    public void ReadingCopiesNothingAndClosingEndsIt()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        const int count = 1 << 20;
        WriteOne(path, new float[count]);
        SafetensorsReader reader = SafetensorsReader.Open(path);
        const long enough = 1024;
        Assert.InRange(AllocationMeter.LeastPerRound(() => Assert.Equal(count, reader.Elements<float>("a").Length), enough), 0, enough);
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Elements<float>("a").Length);
    }

    private static void WriteOne(string path, float[] values)
    {
        using var writer = SafetensorsWriter.Create(path, [new("a", TensorType.Float32, values.Length)]);
        writer.Write<float>("a", values);
        writer.Commit();
    }

    [Fact]
    public void WithoutCommitTheOldFileStays()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        WriteOne(path, [7]);
        using (var writer = SafetensorsWriter.Create(path, [new("b", TensorType.Float32, 1), new("c", TensorType.UInt8, 1)]))
        {
            writer.Write<float>("b", [1]);
            Assert.Contains("c", Assert.Throws<InvalidOperationException>(writer.Commit).Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => writer.Write<float>("b", [1]));
            Assert.Throws<ArgumentException>(() => writer.Write<byte>("c", [1, 2]));
            Assert.Throws<ArgumentException>(() => writer.Write<sbyte>("c", [1]));
        }
        Assert.Equal(["a.safetensors"], folder.FileNames);
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        Assert.Equal([7f], reader.Elements<float>("a"));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Create(path, [new("a", TensorType.UInt8), new("a", TensorType.UInt8)]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Create(path, [new("__metadata__", TensorType.UInt8)]));
    }

    [Fact]
    public void WrongQuestionsAreRefusedByName()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        WriteOne(path, [1, 2, 3]);
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        TensorFileException absent = Assert.Throws<TensorFileException>(() => reader.Find("layer.0.weight"));
        Assert.Equal((path, "layer.0.weight"), (absent.FileName, absent.TensorName));
        Assert.Equal("a", Assert.Throws<TensorFileException>(() => reader.Elements<Half>("a").Length).TensorName);
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Elements<float>("a", 2, 2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Elements<float>("a", -1, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TensorInfo("x", TensorType.UInt8, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TensorInfo("x", TensorType.UInt16, long.MaxValue / 2, 2));
    }

    public static TheoryData<string, string?, string> Malformed => new()
    {
        { "", null, "header" },
        { "[]", null, "StartObject" },
        { "{", null, "header" },
        { "{} x", null, "header" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", null, "4 bytes follow" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", "a", "twice" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", "a", "twice" },
        { """{"a":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}""", "a", "twice" },
        { """{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}""", "a", "Q4" },
        { """{"a":{"dtype":"F32","shape":[2]}}""", "a", "data_offsets" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", "a", "data_offsets" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "a", "do not hold" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "a", "do not hold" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "a", "do not hold" },
        { """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}""", null, "whole numbers" },
        { """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", null, "whole numbers" },
        { """{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", null, "whole numbers" },
        { """{"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}}""", "a", "more elements" },
        { """{"a":{"dtype":"F32","shape":[2305843009213693953,2],"data_offsets":[0,8]}}""", "a", "more elements" },
        { """{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "b", "overlaps" },
        { """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "b", "hole" },
        { """{"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "b", "hole" },
        { """{"__metadata__":{"a":1},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", null, "String" },
        { """{"__metadata__":{"a":"1","a":"2"},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "__metadata__", "twice" },
        { """{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":[[[[[[[[[[[]]]]]]]]]]]}}""", null, "depth" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void MalformedHeadersAreRefused(string json, string? tensor, string reason)
    {
        byte[] file = FileOf(Encoding.UTF8.GetBytes(json), dataLength: 8);
        TensorFileException refused = Assert.Throws<TensorFileException>(() => SafetensorsHeader.Parse("f", file, file.Length));
        Assert.Equal(tensor, refused.TensorName);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.InRange(refused.Offset!.Value, 0, file.Length);
    }

    [Fact]
    public void LengthsAreCheckedBeforeAnythingElse()
    {
        foreach (ulong length in new ulong[] { 17, 1ul << 32, 1ul << 63, ulong.MaxValue, SafetensorsHeader.LargestHeader + 1 })
        {
            var file = new byte[24];
            BinaryPrimitives.WriteUInt64LittleEndian(file, length);
            Assert.Equal(0, Assert.Throws<TensorFileException>(() => SafetensorsHeader.Parse("f", file, file.Length)).Offset);
        }
        Assert.Throws<TensorFileException>(() => SafetensorsHeader.Parse("f", new byte[7], 7));
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("empty"), []);
        Assert.Throws<TensorFileException>(() => SafetensorsReader.Open(folder.File("empty")));
        Assert.Throws<FileNotFoundException>(() => SafetensorsReader.Open(folder.File("none")));
    }

    [Fact]
    public void ElementsThatNetLacksDoNotHideTheOthers()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        (string Name, int Count, int Bytes)[] types = [("F4", 16, 8), ("F6_E2M3", 4, 3), ("F6_E3M2", 8, 6), ("F8_E4M3FNUZ", 3, 3), ("F8_E5M2FNUZ", 2, 2),
            ("C64", 2, 16)];
        foreach ((string name, int count, int bytes) in types)
        {
            string json = $$$"""{"x":{"dtype":"{{{name}}}","shape":[2,{{{count / 2}}}],"data_offsets":[0,{{{bytes}}}]},"y":{"dtype":"F32","shape":[1],"data_offsets":[{{{bytes}}},{{{bytes + 4}}}]}}""";
            json = count % 2 == 0 ? json : json.Replace($"[2,{count / 2}]", $"[{count}]", StringComparison.Ordinal);
            byte[] file = FileOf(Encoding.UTF8.GetBytes(json), bytes + 4);
            file[^(bytes + 4)] = 7;
            File.WriteAllBytes(path, file);
            using SafetensorsReader reader = SafetensorsReader.Open(path);
            Assert.Equal([0f], reader.Elements<float>("y"));
            TensorInfo tensor = reader.Find("x");
            Assert.Equal((count, bytes), ((int)tensor.ElementCount, (int)tensor.ByteCount));
            Assert.Equal([7, .. new byte[bytes - 1]], reader.Elements<byte>("x").ToArray());
            Assert.Equal(new byte[bytes - 1], reader.Elements<byte>("x", 1, bytes - 1).ToArray());
            Assert.Throws<ArgumentOutOfRangeException>(() => reader.Elements<byte>("x", 1, bytes).Length);
            Assert.Throws<TensorFileException>(() => reader.Elements<float>("x").Length);
            // There and back.
            using var writer = SafetensorsWriter.Create(folder.File("b.safetensors"), [tensor]);
            writer.Write("x", reader.Elements<byte>("x"));
            writer.Commit();
            using SafetensorsReader again = SafetensorsReader.Open(folder.File("b.safetensors"));
            Assert.Equal(reader.Elements<byte>("x"), again.Elements<byte>("x"));
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}}""", "whole bytes")]
    [InlineData("""{"a":{"dtype":"F6_E2M3","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}}""", "whole bytes")]
    [InlineData("""{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,8]}}""", "do not hold")]
    [InlineData("""{"a":{"dtype":"F4","shape":[4611686018427387904],"data_offsets":[0,8]}}""", "more elements")]
    public void ElementsOfLessThanAByteFillTheirBytes(string json, string reason)
    {
        byte[] file = FileOf(Encoding.UTF8.GetBytes(json), dataLength: 8);
        TensorFileException refused = Assert.Throws<TensorFileException>(() => SafetensorsHeader.Parse("f", file, file.Length));
        Assert.Equal("a", refused.TensorName);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs pointer")]
    [InlineData("<!DOCTYPE html><html></html>", "HTML")]
    [InlineData("PK\u0003\u0004\u0014\0\0\0\0\0\0\0", "zip")]
    [InlineData("GGUF\u0003\0\0\0\0\0\0\0", "GGUF")]
    public void OtherFilesAreNamed(string text, string kind)
    {
        using var folder = new TemporaryFolder();
        foreach (string name in new[] { "model.safetensors", "model.safetensors.index.json", "array.npy" })
        {
            string path = folder.File(name);
            File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text));
            TensorFileException refused = Assert.Throws<TensorFileException>(() =>
                (name == "array.npy" ? (IDisposable)NpyReader.Open(path) : SafetensorsCheckpoint.Open(path)).Dispose());
            Assert.Equal(path, refused.FileName);
            Assert.Contains(kind, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AWholeFileComesBeforeAStaleIndex()
    {
        using var folder = new TemporaryFolder();
        WriteOne(folder.File("model.safetensors"), [1]);
        string index = folder.File("model.safetensors.index.json");
        File.WriteAllText(index, """{"weight_map":{"a":"model-00001-of-00002.safetensors"}}""");
        using (SafetensorsCheckpoint whole = SafetensorsCheckpoint.Open(folder.Path))
            Assert.Equal([1f], whole.Find("a").Elements<float>("a"));
        // Asked for by its own name the index is taken at its word, and so it is where there is nothing else.
        using (SafetensorsCheckpoint stale = SafetensorsCheckpoint.Open(index))
            Assert.Throws<TensorFileException>(() => stale.Find("a"));
        File.Move(folder.File("model.safetensors"), folder.File("model-00001-of-00002.safetensors"));
        using SafetensorsCheckpoint shards = SafetensorsCheckpoint.Open(folder.Path);
        Assert.Equal([1f], shards.Find("a").Elements<float>("a"));
    }

    [Fact]
    public void AHeadersWordAllocatesNothing()
    {
        // Sizes of 2^60 elements in a header of a hundred bytes, and a header that claims to be the largest there is: refused for less memory than a page of
        // text.
        byte[] large = FileOf("""{"a":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}}"""u8.ToArray(), 8),
            claimed = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(claimed, SafetensorsHeader.LargestHeader);
        byte[] array = NpyTests.FileOf(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846975,), }", 8);
        Refused(() => SafetensorsHeader.Parse("f", large, large.Length));
        Refused(() => SafetensorsHeader.Parse("f", claimed, claimed.Length));
        Refused(() => NpyHeader.Parse("f", array, array.Length));

        static void Refused(Action parse)
        {
            const long enough = 1 << 16;
            Assert.InRange(AllocationMeter.LeastPerRound(() => Assert.Throws<TensorFileException>(parse), enough), 0, enough);
        }
    }

    [Fact]
    public void NamesMustBeUtf8()
    {
        byte[] json = Encoding.UTF8.GetBytes("""{"?":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""");
        json[2] = 0xFF;
        byte[] file = FileOf(json, 8);
        Assert.Throws<TensorFileException>(() => SafetensorsHeader.Parse("f", file, file.Length));
    }

    internal static byte[] FileOf(byte[] header, int dataLength)
    {
        var file = new byte[SafetensorsHeader.Start + header.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)header.Length);
        header.CopyTo(file, SafetensorsHeader.Start);
        return file;
    }

    [SkippableFact]
    public void RealCheckpointsAreRead()
    {
        using SafetensorsReader reader = SafetensorsReader.Open(SharedData.Find("models/gpt2-small-124M/h11_attn_q_weight.safetensors"));
        TensorInfo tensor = Assert.Single(reader.Tensors);
        Assert.Equal([768, 768], tensor.Shape);
        // The largest magnitude that the list of sources gives.
        float largest = 0;
        foreach (float weight in reader.Elements<float>(tensor.Name))
            largest = Math.Max(largest, Math.Abs(weight));
        Assert.Equal(1.057, largest, 1e-3);
    }
}
