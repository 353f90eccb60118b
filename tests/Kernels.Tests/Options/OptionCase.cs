using System.Globalization;

namespace Kernels.Tests;

/// <summary>
/// One property of one options type: values that are accepted, both ends of the documented range among them, values that are refused, 0 and NaN where they are,
/// and two values between which the outcome of a small operation differs.
/// </summary>
internal sealed record OptionCase(string Name)
{
    public List<(string Value, Action Run)> Accepted { get; } = [];

    /// <summary>Each with the name that its exception must give, and the value's text where the message must hold it.</summary>
    public List<(string Value, string Parameter, bool IsShown, Action Run)> Refused { get; } = [];

    public required Func<string> Without { get; init; }

    public required Func<string> With { get; init; }

    public string Property => Name[(Name.IndexOf('.', StringComparison.Ordinal) + 1)..];

    /// <summary>A property that takes numbers, enumerations, objects or arrays.</summary>
    /// <param name="name">Type.Property.</param>
    /// <param name="run">The outcome of an operation with the property at a value: outputs, or what else is observed of it.</param>
    /// <param name="effect">Two values whose outcomes differ.</param>
    /// <param name="accepted">The ends of the range, and what is special within.</param>
    /// <param name="refused">The first values beyond the ends, and what is special outside.</param>
    public static OptionCase Of<V>(string name, Func<V, string> run, (V Without, V With) effect, V[] accepted, V[] refused)
    {
        var made = new OptionCase(name) { Without = () => run(effect.Without), With = () => run(effect.With) };
        foreach (V value in accepted)
            made.Accepted.Add((Text(value), () => run(value)));
        foreach (V value in refused)
            made.Refuses(Text(value), made.Property, value is not Array, () => run(value));
        return made;
    }

    /// <summary>How an operation is told to run: threads from 0 on, no variant of that name, a token that stops it.</summary>
    /// <param name="type">The options type.</param>
    /// <param name="run">The operation.</param>
    /// <param name="hasVariants">Whether there is a table to choose from.</param>
    public static OptionCase Kernel(string type, Action<KernelOptions> run, bool hasVariants = true)
    {
        var stopped = new KernelOptions { CancellationToken = new CancellationToken(canceled: true) };
        OptionCase made = Of(type + ".Kernel", kernel => Outcome<OperationCanceledException>(() => run(kernel)), (default, stopped),
            [default, new() { MaxDegreeOfParallelism = int.MaxValue }], []);
        foreach (int threads in new[] { -1, int.MinValue })
            made.Refuses(Text(threads), nameof(KernelOptions.MaxDegreeOfParallelism), true, () => run(new() { MaxDegreeOfParallelism = threads }));
        if (hasVariants)
            made.Refuses("nonsense", nameof(KernelOptions.Variant), true, () => run(new() { Variant = "nonsense" }));
        return made;
    }

    /// <summary>One more refusal, of values that depend on other options.</summary>
    public OptionCase Refuses(string value, Action run) => Refuses(value, Property, false, run);

    public OptionCase Refuses(string value, string parameter, bool isShown, Action run)
    {
        Refused.Add((value, parameter, isShown, run));
        return this;
    }

    /// <summary>The name of the exception that ends an operation, or none.</summary>
    public static string Outcome<TException>(Action run) where TException : Exception
    {
        try
        {
            run();
            return "done";
        }
        catch (TException)
        {
            return typeof(TException).Name;
        }
    }

    public static string Text<T>(params ReadOnlySpan<T> values) => string.Join(' ', values.ToArray().Select(value => Text(value)));

    /// <summary>What was written over an array of NaN; nothing if it was not.</summary>
    public static string Written(float[] output) => output.Any(float.IsNaN) ? "" : Text<float>(output);

    public static float[] NaNs(int count)
    {
        float[] values = new float[count];
        Array.Fill(values, float.NaN);
        return values;
    }

    /// <summary>As exceptions write it.</summary>
    private static string Text<V>(V value) => value switch
    {
        Array array => $"[{string.Join(' ', array.Cast<object>())}]",
        IFormattable number => number.ToString(null, CultureInfo.CurrentCulture),
        _ => value?.ToString() ?? "null",
    };
}
