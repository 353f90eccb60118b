// BLEU as a metric and as a reward.
//
//   dotnet run --project samples/BleuReward -- score [pairs.jsonl]     each line {"candidate": "...", "references": ["...", ...]}; standard input without a file
//   dotnet run --project samples/BleuReward -- learn [seed]            a small policy learns to copy its prompt, with sentence BLEU as its only reward
using BleuReward;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};

try
{
    return args switch
    {
        ["score"] => JsonLineScores.Write(Console.In, "standard input", Console.Out, interrupted.Token),
        ["score", var path] => Score(path),
        ["learn"] => CopyPolicy.Train(seed: 1, Console.Out, interrupted.Token),
        ["learn", var seed] when int.TryParse(seed, out int number) => CopyPolicy.Train(number, Console.Out, interrupted.Token),
        _ => Usage(),
    };
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("interrupted");
    return 130;
}
catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

int Score(string path)
{
    using var reader = new StreamReader(path);
    return JsonLineScores.Write(reader, path, Console.Out, interrupted.Token);
}

static int Usage()
{
    Console.Error.WriteLine("score [pairs.jsonl], or learn [seed]");
    return 2;
}
