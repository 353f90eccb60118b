// BLEU as a metric and as a reward.
//
// dotnet run --project samples/BleuReward -- score [pairs.jsonl] each line {"candidate": "...", "references": ["...", ...]}; standard input without a file
// dotnet run --project samples/BleuReward -- learn [seed] a small policy learns to copy its prompt, with sentence BLEU as its only reward
using BleuReward;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};
return BleuCommand.Run(args, Console.In, Console.Out, Console.Error, interrupted.Token);
