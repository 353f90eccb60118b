using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Core.SpGemm;

/// <summary>
/// Many bytes to 16 with the same remainder, by products without carries (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
/// Instruction", Intel, 2009).
/// </summary>
internal static class Crc32Simd
{
    public const int LeastBytes = 64, RemainderBytes = 16;

    public static bool IsSupported => Pclmulqdq.IsSupported;

    /// <summary>Folds as many whole blocks of 64 bytes as there are, one at least, and returns their number of bytes.</summary>
    /// <param name="crc">The register before them.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="remainder">Receives 16 bytes; from a register of 0 these leave what the bytes would.</param>
    public static int Fold(uint crc, ReadOnlySpan<byte> bytes, Span<byte> remainder)
    {
        // x^(512 + 32) and x^(512 - 32), x^(128 + 32) and x^(128 - 32), modulo the polynomial, bits reversed (the paper's k1 to k4).
        Vector128<ulong> by64 = Vector128.Create(0x1_5444_2BD4UL, 0x1_C6E4_1596UL), by16 = Vector128.Create(0x1_7519_97D0UL, 0x0_CCAA_009EUL);
        int length = bytes.Length / LeastBytes * LeastBytes;
        ReadOnlySpan<Vector128<ulong>> words = MemoryMarshal.Cast<byte, Vector128<ulong>>(bytes[..length]);
        Vector128<ulong> a = words[0] ^ Vector128.CreateScalar((ulong)crc), b = words[1], c = words[2], d = words[3];
        for (int i = 4; i + 3 < words.Length; i += 4)
            (a, b, c, d) = (Times(a, by64) ^ words[i], Times(b, by64) ^ words[i + 1], Times(c, by64) ^ words[i + 2], Times(d, by64) ^ words[i + 3]);
        (Times(Times(Times(a, by16) ^ b, by16) ^ c, by16) ^ d).AsByte().CopyTo(remainder);
        return length;
    }

    private static Vector128<ulong> Times(Vector128<ulong> value, Vector128<ulong> powers) =>
        Pclmulqdq.CarrylessMultiply(value, powers, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, powers, 0x11);
}
