using System.Text.RegularExpressions;

namespace Kernels.Perf;

/// <summary>
/// Logits found in a file, and the probabilities recorded beside them, if any. Arrays that differ only in the numbers in their names are one.
/// </summary>
internal sealed partial record SoftmaxInput(string Name, int RowLength, Array Logits, double[]? Recorded)
{
    // What logits are called in files, and the softmax of them beside it; an array of either name may have a prefix that ends in '_' or '.'.
    private static readonly (string Logits, string Probabilities)[] s_pairs =
    [
        ("attn_masked", "attn_softmax"), ("att", "attSm"), ("lm_head", "probs"), ("topKLogit", "probability"), ("logits", "probabilities"),
    ];

    /// <summary>The logits of a file: those known by name, or else every array in it.</summary>
    public static IReadOnlyList<SoftmaxInput> Read(string path)
    {
        IReadOnlyList<InputTensor> tensors = InputFile.Read(path);
        Dictionary<string, InputTensor> byName = tensors.ToDictionary(tensor => tensor.Name);
        InputTensor[] named = [.. tensors.Where(tensor => PairOf(tensor) is not null)];
        return
        [
            .. (named.Length > 0 ? named : [.. tensors])
                .Select(tensor => (Logits: tensor, Recorded: RecordedBeside(tensor, byName)))
                .GroupBy(pair => (Pattern(pair.Logits), pair.Logits.RowLength, Type: pair.Logits.Values.GetType(), HasRecorded: pair.Recorded is not null))
                .Select(group => Concatenated([.. group])),
        ];
    }

    private static (string Logits, string Probabilities)? PairOf(InputTensor tensor)
    {
        foreach ((string Logits, string Probabilities) pair in s_pairs)
        {
            if (tensor.Name == pair.Logits || tensor.Name.EndsWith($"_{pair.Logits}", StringComparison.Ordinal)
                || tensor.Name.EndsWith($".{pair.Logits}", StringComparison.Ordinal))
                return pair;
        }
        return null;
    }

    private static InputTensor? RecordedBeside(InputTensor tensor, Dictionary<string, InputTensor> byName) =>
        PairOf(tensor) is { } pair && byName.TryGetValue(tensor.Name[..^pair.Logits.Length] + pair.Probabilities, out InputTensor? recorded)
            && recorded.Dimensions.SequenceEqual(tensor.Dimensions)
            ? recorded
            : null;

    private static string Pattern(InputTensor tensor) => Digits().Replace(tensor.Name, "*");

    private static SoftmaxInput Concatenated((InputTensor Logits, InputTensor? Recorded)[] group)
    {
        InputTensor first = group[0].Logits;
        int count = group.Sum(pair => pair.Logits.Values.Length);
        var logits = Array.CreateInstance(first.Values.GetType().GetElementType()!, count);
        var recorded = new List<double>();
        int start = 0;
        foreach ((InputTensor part, InputTensor? own) in group)
        {
            part.Values.CopyTo(logits, start);
            start += part.Values.Length;
            recorded.AddRange(own?.Values switch { float[] floats => floats.Select(value => (double)value), double[] doubles => doubles, _ => [] });
        }
        string name = group.Length == 1 ? first.Name : $"{Pattern(first)}, {group.Length} arrays";
        return new SoftmaxInput($"{name}, {count / first.RowLength} x {first.RowLength}", first.RowLength, logits, recorded.Count == 0 ? null : [.. recorded]);
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
