using Kernels.Core.NewFamily;
using Kernels.Managed;

namespace Kernels;

/// <summary>What it computes, in one formula, with its source (paper, section).</summary>
/// <remarks>
/// <para>Element type, layout, the bound of the error with its roundings counted, and special values: NaN, infinities, empty inputs.</para>
/// <para>What is allocated or rented; results are bit-identical for every number of threads, and a row does not depend on its batch mates.</para>
/// <para>Bad arguments throw an <see cref="ArgumentException"/> that names the parameter and the value, before anything is written.</para>
/// </remarks>
public static class NewFamily
{
    /// <summary>What it writes.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="output">[rows, width]; at least that many elements, apart from the input.</param>
    /// <param name="width">At least 1; divides the number of elements.</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="ArgumentException">A length does not fit, spans overlap, or an option is out of range.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled; the output is then partly written.</exception>
    public static unsafe void Compute(ReadOnlySpan<float> input, Span<float> output, int width, NewFamilyOptions options = default)
    {
        var problem = new NewFamilyProblem(input, output, width, options);
        INewFamilyBackend backend = NewFamilyVariants.Table.Select(options.Kernel);
        if (problem.RowCount == 0)
            return;
        fixed (float* from = problem.Input, to = problem.Output)
            backend.Compute(new() { RowCount = problem.RowCount, Width = problem.Width, Input = from, Output = to }, options.Kernel);
    }
}
