using System.Runtime.InteropServices;

namespace Kernels.Core.Checks;

/// <summary>
/// The argument checks of every family, in one wording: each names parameter and value. What is read has exactly the elements that the sizes
/// ask for; what is only written, at least those, and the rest of it is left alone.
/// </summary>
internal static class Check
{
    /// <summary>What is only written: at least that many elements.</summary>
    public static void AtLeast(long available, long needed, string name)
    {
        if (available < needed)
            throw new ArgumentException($"{available} elements are too few: {needed} are needed", name);
    }

    /// <summary>What is read: exactly that many elements.</summary>
    public static void Exactly(long available, long needed, string name)
    {
        if (available != needed)
            throw new ArgumentException($"{available} elements where {needed} are needed", name);
    }

    /// <summary>What may be left out, and is read.</summary>
    public static void ExactlyOrEmpty(long available, long needed, string name)
    {
        if (available != 0)
            Exactly(available, needed, name);
    }

    /// <summary>The part of an output that is written: its first elements.</summary>
    public static Span<T> Written<T>(Span<T> output, long needed, string name)
    {
        AtLeast(output.Length, needed, name);
        return output[..(int)needed];
    }

    /// <summary>The same of an output that may be left out.</summary>
    public static Span<T> WrittenOrEmpty<T>(Span<T> output, long needed, string name) => output.IsEmpty ? output : Written(output, needed, name);

    /// <summary>The number of rows that a length gives; it must be whole.</summary>
    /// <param name="length">All elements.</param>
    /// <param name="rowLength">Those of a row, at least 1.</param>
    /// <param name="name">Whose length it is.</param>
    public static int Rows(int length, long rowLength, string name)
    {
        if (length % rowLength != 0)
            throw new ArgumentException($"{length} elements are no whole number of rows of {rowLength}", name);
        return (int)(length / rowLength);
    }

    /// <summary>An output that feeds no input.</summary>
    public static void Disjoint<TInput, TOutput>(ReadOnlySpan<TInput> input, ReadOnlySpan<TOutput> output, string inputName, string outputName)
        where TInput : unmanaged where TOutput : unmanaged
    {
        if (MemoryMarshal.AsBytes(input).Overlaps(MemoryMarshal.AsBytes(output)))
            throw new ArgumentException($"the span overlaps {inputName}", outputName);
    }

    public static void Finite(double value, string name)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, "a finite number is needed");
    }

    /// <summary>A count that is given, or left to the callee.</summary>
    public static void AtLeastOne(int? count, string name)
    {
        if (count < 1)
            throw new ArgumentOutOfRangeException(name, count, "a whole number from 1 on is needed");
    }

    public static void Defined<TEnum>(TEnum value, string name) where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(name, value, $"there is no such {typeof(TEnum).Name}");
    }

    /// <summary>Of an operation that has one implementation: there is nothing to choose, so a variant is refused instead of ignored.</summary>
    public static void KernelWithoutVariants(in KernelOptions options, string operation)
    {
        if (options.Variant is { } identity)
            throw new ArgumentException($"'{identity}' names no variant of {operation}, which has one implementation; leave it unset.",
                nameof(KernelOptions.Variant));
        Kernel(options);
    }

    public static void Kernel(in KernelOptions options) =>
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxDegreeOfParallelism, nameof(KernelOptions.MaxDegreeOfParallelism));
}
