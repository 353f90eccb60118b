using Kernels.Core.Checks;

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
        RowCount = Check.Rows(input.Length, width, InputName);
        Output = Check.Written(output, input.Length, OutputName);
        Check.Kernel(options.Kernel);
        Check.Disjoint<float, float>(input, Output, InputName, OutputName);
        Width = width;
        Input = input;
        Options = options;
    }
}
