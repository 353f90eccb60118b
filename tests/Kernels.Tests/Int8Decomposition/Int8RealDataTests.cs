using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Kernels.Tests;

/// <summary>Weights of real models. The data lies beside the project, not in it; without it the tests are skipped by name.</summary>
public sealed class Int8RealDataTests
{
    [SkippableFact]
    public void Gpt2sLastLayer()
    {
        // The projection's weights reach 8.9: as activations they bring real outliers along, here the rows in which they are.
        const int width = 768, rows = 9;
        float[] projection = Gpt2("proj"), weights = Gpt2("v");
        int[] outlierRows = [.. Enumerable.Range(0, width).Where(row => projection.AsSpan(row * width, width).ContainsAnyExceptInRange(-6f, 6f)).Take(rows)];
        Assert.NotEmpty(outlierRows);
        float[] activations = [.. outlierRows.Append(0).Distinct().SelectMany(row => projection[(row * width)..((row + 1) * width)])];
        Int8Weights packed = Int8Weights.Pack(weights, width, width);
        foreach (OutlierScope scope in Int8DecompositionCases.Scopes)
        {
            float[] actual = Int8DecompositionCases.Multiply<float>(activations, packed, default, 6, scope);
            Int8DecompositionOracle.Check<float>(activations, packed, 6, scope, null, actual, $"GPT-2, {scope}");
        }
    }

    [SkippableTheory]
    [InlineData("q")]
    [InlineData("k")]
    [InlineData("v")]
    [InlineData("proj")]
    public void Gpt2sWeightsFollowTheRule(string name)
    {
        const int width = 768;
        float[] weights = Gpt2(name);
        var packed = Int8Weights.Pack(weights, width, width);
        var values = new sbyte[weights.Length];
        packed.CopyValuesTo(values);
        float[] largest = Int8DecompositionCases.AbsMaxOf(packed);
        for (int output = 0; output < width; output++)
        {
            (sbyte[] expected, float absMax) = Int8DecompositionOracle.Quantize([.. weights.Skip(output * width).Take(width).Select(w => (double)w)], 0);
            Assert.Equal(absMax, largest[output]);
            Assert.True(values.AsSpan(output * width, width).SequenceEqual(expected), $"{name}, output {output}");
        }
    }

    [SkippableFact]
    public void CTranslate2sIntegers()
    {
        // A transformer that transliterates Arabic, as floats and as CTranslate2 quantised it: scale = 127 / max|w| of each output, and q = w scale, truncated
        // towards zero. Rounding to nearest, as here, gives the same integer or the next one away from zero, and at most half the error.
        Dictionary<string, (int[] Shape, byte[] Data)> floats = ReadModel("models/ct2-aren-transliteration/model.bin"),
            integers = ReadModel("models/ct2-aren-transliteration-i8/model.bin");
        int layers = 0, rounded = 0, count = 0;
        foreach ((string name, (int[] shape, byte[] theirs)) in integers.Where(entry => integers.ContainsKey(entry.Key + "_scale")))
        {
            (int outputs, int inputs) = (shape[0], shape[1]);
            ReadOnlySpan<float> weights = MemoryMarshal.Cast<byte, float>(floats[name].Data),
                scales = MemoryMarshal.Cast<byte, float>(integers[name + "_scale"].Data);
            Int8Weights packed = Int8Weights.Pack(weights, outputs, inputs);
            var ours = new sbyte[theirs.Length];
            packed.CopyValuesTo(ours);
            float[] largest = Int8DecompositionCases.AbsMaxOf(packed);
            for (int i = 0; i < ours.Length; i++)
            {
                float scale = 127 / largest[i / inputs];
                Assert.Equal(scale, scales[i / inputs]);
                Assert.Equal((sbyte)theirs[i], (sbyte)(weights[i] * scale));
                int difference = Math.Abs(ours[i]) - Math.Abs((sbyte)theirs[i]);
                Assert.InRange(difference, 0, 1);
                Assert.InRange(Math.Abs(weights[i] * scale - ours[i]), 0, 0.5001f);
                rounded += difference;
            }
            count += ours.Length;
            layers++;
        }
        Assert.True(layers > 60, $"{layers} quantised layers");
        // Fractions are about uniform: half of them round away from zero.
        Assert.InRange(rounded / (double)count, 0.45, 0.55);
    }

    private static float[] Gpt2(string name)
    {
        using SafetensorsReader file = SafetensorsReader.Open(SharedData.Find($"models/gpt2-small-124M/h11_attn_{name}_weight.safetensors"));
        TensorInfo tensor = Assert.Single(file.Tensors);
        Assert.Equal([768, 768], tensor.Shape);
        return file.Elements<float>(tensor.Name).ToArray();
    }

    // Version 2 of the format: version, name of the specification and its revision, and for each variable name, rank and dimensions, bytes of an element, their
    // number, and the elements. Integers are little-endian, strings are preceded by their length, 16 bits, and end in a zero.
    private static Dictionary<string, (int[] Shape, byte[] Data)> ReadModel(string relative)
    {
        using var file = new BinaryReader(File.OpenRead(SharedData.Find(relative)));
        Assert.Equal(2u, file.ReadUInt32());
        Assert.Equal("TransformerBase", ReadName(file));
        Assert.Equal(2u, file.ReadUInt32());
        var variables = new Dictionary<string, (int[], byte[])>();
        for (uint left = file.ReadUInt32(); left > 0; left--)
        {
            string name = ReadName(file);
            int[] shape = new int[file.ReadByte()];
            for (int i = 0; i < shape.Length; i++)
                shape[i] = file.ReadInt32();
            int elementBytes = file.ReadByte();
            variables[name] = (shape, file.ReadBytes(checked(elementBytes * file.ReadInt32())));
        }
        return variables;
    }

    private static string ReadName(BinaryReader file) =>
        Encoding.UTF8.GetString(file.ReadBytes(BinaryPrimitives.ReadUInt16LittleEndian(file.ReadBytes(sizeof(ushort))))).TrimEnd('\0');
}
