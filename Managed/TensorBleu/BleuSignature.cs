using System.Globalization;
using Kernels.Core.TensorBleu;

namespace Kernels;

/// <summary>
/// A line that says how a score was computed, to be printed beside it; fields as in sacreBLEU's signatures, and what else a score here depends on.
/// </summary>
public static class BleuSignature
{
    /// <summary>For example <c>nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|order:4|version:0.1.0</c>.</summary>
    /// <param name="options">How the score was computed.</param>
    /// <param name="referencesPerCandidate">0 if the number varies.</param>
    /// <param name="tokenizer">The tokenizer, or <see langword="null"/> for ids from elsewhere.</param>
    /// <param name="lowercase">Whether text was taken in lower case.</param>
    /// <exception cref="ArgumentException">An option or the number of references is out of range.</exception>
    public static string Of(BleuOptions options, int referencesPerCandidate, BleuTokenizer? tokenizer = null, bool lowercase = false)
    {
        BleuChecks.Options(options);
        ArgumentOutOfRangeException.ThrowIfNegative(referencesPerCandidate);
        string references = referencesPerCandidate == 0 ? "var" : referencesPerCandidate.ToString(CultureInfo.InvariantCulture);
        string value = options.SmoothingValue is { } given ? string.Create(CultureInfo.InvariantCulture, $"[{given}]") : "";
        string weights = "";
        foreach (double weight in options.Weights)
            weights += string.Create(CultureInfo.InvariantCulture, $"{(weights.Length == 0 ? "|weights:" : ",")}{weight}");
        string mode = options.TensorBleuCompatible ? "|mode:tensorbleu" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"nrefs:{references}|case:{(lowercase ? "lc" : "mixed")}|eff:{(options.EffectiveOrder ? "yes" : "no")}|tok:{Name(tokenizer)}" +
            $"|smooth:{Name(options.Smoothing)}{value}|order:{options.MaxOrder}{weights}{mode}|version:{Version}");
    }

    private static string Version => typeof(BleuSignature).Assembly.GetName().Version!.ToString(fieldCount: 3);

    private static string Name(BleuTokenizer? tokenizer) => tokenizer switch
    {
        null => "ids",
        BleuTokenizer.None => "none",
        BleuTokenizer.Mteval13a => "13a",
        BleuTokenizer.Character => "char",
        BleuTokenizer.International => "intl",
        _ => throw new ArgumentOutOfRangeException(nameof(tokenizer), tokenizer, "there is no such tokenizer"),
    };

    private static string Name(BleuSmoothing smoothing) => smoothing switch
    {
        BleuSmoothing.Exponential => "exp",
        BleuSmoothing.None => "none",
        BleuSmoothing.Floor => "floor",
        BleuSmoothing.AddK => "add-k",
        _ => $"nltk{smoothing - BleuSmoothing.NltkMethod0}",
    };
}
