using System.Diagnostics;
using Kernels;

namespace CharRnn;

/// <summary>One model with its matrices in one form.</summary>
/// <param name="Name">The form in words.</param>
/// <param name="BitsPerCharacter">The loss on held-out text.</param>
/// <param name="ByteCount">The bytes of the matrices.</param>
/// <param name="CharactersReadPerSecond">Characters of a given text a second, many to a product.</param>
/// <param name="CharactersWrittenPerSecond">Characters of its own a second, one to a product.</param>
/// <param name="Sample">What it writes.</param>
internal sealed record WeightRow(string Name, double BitsPerCharacter, long ByteCount, double CharactersReadPerSecond, double CharactersWrittenPerSecond,
    string Sample);

/// <summary>What every form is to write, drawing the same numbers.</summary>
/// <param name="Prompt">The beginning.</param>
/// <param name="Length">Characters to add to it.</param>
/// <param name="Temperature">See <see cref="CharacterReader.Write"/>.</param>
/// <param name="Seed">The seed of the draws.</param>
internal sealed record WeightSamples(string Prompt, int Length, double Temperature, ulong Seed);

/// <summary>The same model in every form: what rounding costs, and what it saves.</summary>
internal static class WeightComparison
{
    private const int CalibrationLength = 1 << 14, TimedLength = 2_000, StandardRounds = 5;

    private static readonly (WeightForm Form, string Name)[] s_forms =
        [(WeightForm.F32, "f32"), (WeightForm.Int8, "int8"), (WeightForm.U4, "u4, round to nearest"), (WeightForm.U4Gptq, "u4, GPTQ")];

    /// <summary>Compares the forms; the timed rounds go in turn, so that a machine that slows down does so for all.</summary>
    /// <param name="model">The model.</param>
    /// <param name="corpus">Its text: the beginning calibrates GPTQ, the held-out part measures.</param>
    /// <param name="sample">What to let them write.</param>
    /// <param name="rounds">How often to take the time; the median counts.</param>
    /// <param name="interrupted">Ends the work between rounds.</param>
    public static WeightRow[] Run(CharacterModel model, Corpus corpus, WeightSamples sample, int rounds = StandardRounds,
        CancellationToken interrupted = default)
    {
        GptqHessian[] hessians = CharacterReader.Calibrate(model, corpus.Training.AsSpan(0, Math.Min(CalibrationLength, corpus.Training.Length)));
        CharacterReader[] readers = [.. s_forms.Select(entry => new CharacterReader(model, entry.Form, hessians))];
        double[] bits = [.. readers.Select(reader => reader.BitsPerCharacter(corpus.HeldOut))];
        string[] samples = [.. readers.Select(reader => reader.Write(sample.Prompt, sample.Length, sample.Temperature, sample.Seed, interrupted))];
        double[][] reading = [.. readers.Select(_ => new double[rounds])], writing = [.. readers.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < readers.Length; i++)
            {
                interrupted.ThrowIfCancellationRequested();
                reading[i][round] = (corpus.HeldOut.Length - 1) / Seconds(() => readers[i].BitsPerCharacter(corpus.HeldOut));
                writing[i][round] = TimedLength / Seconds(() => readers[i].Write(sample.Prompt, TimedLength, sample.Temperature, sample.Seed));
            }
        }
        return [.. readers.Select((reader, i) =>
            new WeightRow(s_forms[i].Name, bits[i], reader.ByteCount, Median(reading[i]), Median(writing[i]), samples[i]))];
    }

    private static double Seconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] numbers) => numbers.Order().ElementAt(numbers.Length / 2);
}
