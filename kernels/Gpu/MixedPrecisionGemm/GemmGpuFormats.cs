using ILGPU;

namespace Kernels.Gpu;

/// <summary>A step of one output: eight weights q in the words where they lie.</summary>
/// <param name="first">Inputs 0 to 3 of eight-bit weights, byte after byte; of four-bit ones all eight, 4 to 7 in the upper nibbles.</param>
/// <param name="second">Inputs 4 to 7 of eight-bit weights.</param>
internal readonly struct GemmGpuStep(int first, int second)
{
    public readonly int First = first, Second = second;
}

/// <summary>How a stored weight becomes a float before its zero is subtracted: a type argument of kernels.</summary>
internal interface IGemmGpuFormat
{
    /// <summary>Words of one output in a step.</summary>
    static abstract int WordsPerStep { get; }

    /// <summary>The number that input <paramref name="input"/> of the step stands for.</summary>
    static abstract float Number(GemmGpuStep step, int input, ArrayView<float> codebook);
}

/// <summary>Two weights in a byte.</summary>
internal readonly struct U4GpuFormat : IGemmGpuFormat
{
    private const int Nibble = 4, LowNibble = 15;

    public static int WordsPerStep => 1;

    public static float Number(GemmGpuStep step, int input, ArrayView<float> codebook) => Index(step, input);

    public static int Index(GemmGpuStep step, int input) => (step.First >> (8 * (input & 3) + Nibble * (input >> 2))) & LowNibble;
}

/// <summary>One weight in a byte.</summary>
internal readonly struct U8GpuFormat : IGemmGpuFormat
{
    private const int LowByte = 255;

    public static int WordsPerStep => 2;

    public static float Number(GemmGpuStep step, int input, ArrayView<float> codebook) => ((input < 4 ? step.First : step.Second) >> 8 * (input & 3)) & LowByte;
}

/// <summary>Two indices into a codebook in a byte.</summary>
internal readonly struct CodebookGpuFormat : IGemmGpuFormat
{
    public static int WordsPerStep => 1;

    public static float Number(GemmGpuStep step, int input, ArrayView<float> codebook) => codebook[U4GpuFormat.Index(step, input)];
}
