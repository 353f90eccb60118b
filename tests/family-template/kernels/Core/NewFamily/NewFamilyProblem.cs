using System.Runtime.InteropServices;

namespace Kernels.Core.NewFamily;

/// <summary>The arguments of a call, each checked: backends trust them.</summary>
internal readonly ref struct NewFamilyProblem
{
    private const string InputName = "input", OutputName = "output", WidthName = "width";

    public readonly int RowCount, Width;
    public readonly ReadOnlySpan<float> Input;
    public readonly Span<float> Output;
    public readonly NewFamilyOptions Options;

    public NewFamilyProblem(ReadOnlySpan<float> input, Span<float> output, int width, in NewFamilyOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1, WidthName);
        if (input.Length % width != 0)
            throw new ArgumentException($"{input.Length} elements are no whole number of rows of {width}", InputName);
        if (output.Length < input.Length)
            throw new ArgumentException($"{output.Length} elements are too few: {input.Length} are written", OutputName);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Kernel.MaxDegreeOfParallelism, nameof(KernelOptions.MaxDegreeOfParallelism));
        RowCount = input.Length / width;
        Width = width;
        Input = input;
        Output = output[..input.Length];
        Options = options;
        if (MemoryMarshal.AsBytes(input).Overlaps(MemoryMarshal.AsBytes(Output)))
            throw new ArgumentException($"the span overlaps {InputName}", OutputName);
    }
}
