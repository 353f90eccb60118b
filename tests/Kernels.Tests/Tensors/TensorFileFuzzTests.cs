using System.Text;
using Kernels.Core.Tensors;

namespace Kernels.Tests;

/// <summary>
/// Ten thousand damaged files of each format, from fixed seeds: each is read or refused with a <see cref="TensorFileException"/>; nothing else is thrown,
/// nothing is read beyond the file, which ends at a guard page where there is one, and no tensor that is accepted reaches beyond it.
/// </summary>
public sealed class TensorFileFuzzTests
{
    private const int FileCount = 10_000;

    private delegate IReadOnlyList<TensorInfo> Parse(ReadOnlySpan<byte> file);

    [Fact]
    public void DamagedSafetensorsAreRefused()
    {
        const string header = """
            {"__metadata__":{"format":"pt"},"model.layers.0.q_proj.qweight":{"dtype":"I32","shape":[2,4],"data_offsets":[0,32]},
            "model.layers.0.q_proj.scales":{"dtype":"F16","shape":[1,4],"data_offsets":[32,40]},"bias":{"dtype":"F32","shape":[4],"data_offsets":[40,56]}}
            """;
        byte[] file = SafetensorsTests.FileOf(Encoding.UTF8.GetBytes(header), dataLength: 56);
        Fuzz(file, file.Length - 56, bytes => SafetensorsHeader.Parse("fuzz", bytes, bytes.Length).Tensors);
    }

    [Fact]
    public void DamagedNumPyFilesAreRefused()
    {
        byte[] file = NpyTests.FileOf(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 7), }", dataLength: 56);
        Fuzz(file, file.Length - 56, bytes => [NpyHeader.Parse("fuzz", bytes, bytes.Length)]);
    }

    private static void Fuzz(byte[] sound, int headLength, Parse parse)
    {
        Assert.NotEmpty(parse(sound));
        var random = new Random(20260101);
        using GuardedMemory<byte>? guarded = GuardedMemory<byte>.IsSupported ? new GuardedMemory<byte>(2 * sound.Length, guardAfter: true) : null;
        int refused = 0;
        for (int i = 0; i < FileCount; i++)
        {
            byte[] damaged = Damage(sound, headLength, random);
            Span<byte> bytes = guarded is null ? damaged : guarded.Span[^damaged.Length..];
            damaged.CopyTo(bytes);
            try
            {
                foreach (TensorInfo tensor in parse(bytes))
                    Assert.True(tensor.Offset >= 0 && tensor.Offset + tensor.ByteCount <= bytes.Length, $"file {i}: {tensor.Name} reaches beyond the end");
            }
            catch (TensorFileException)
            {
                refused++;
            }
        }
        // Damage to a name, to a number's leading space or to elements leaves a sound file.
        Assert.InRange(refused, FileCount / 2, FileCount - 1);
    }

    // One to four of: a bit or a byte changed, mostly in the head; a piece doubled, moved or removed; a number made longer; the end cut off or lengthened.
    private static byte[] Damage(byte[] sound, int headLength, Random random)
    {
        List<byte> file = [.. sound];
        for (int times = random.Next(1, 5); times > 0 && file.Count > 1; times--)
        {
            int at = random.Next(random.Next(8) == 0 ? file.Count : Math.Min(file.Count, headLength)),
                length = random.Next(1, Math.Min(16, file.Count - at) + 1);
            switch (random.Next(7))
            {
                case 0: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: file[at] = (byte)random.Next(256); break;
                case 2: file.InsertRange(random.Next(file.Count), file.GetRange(at, length)); break;
                case 3: file.RemoveRange(at, length); break;
                case 4: file[at] = "{}[]\",:0123456789-.eE \\"u8[random.Next(23)]; break;
                case 5:
                    file.InsertRange(at, Encoding.ASCII.GetBytes(random.NextInt64()
                    .ToString(System.Globalization.CultureInfo.InvariantCulture)[..random.Next(1, 18)])); break;
                default: file.RemoveRange(at, file.Count - at); break;
            }
            if (file.Count > 2 * sound.Length)
                file.RemoveRange(2 * sound.Length, file.Count - 2 * sound.Length);
        }
        return [.. file];
    }
}
