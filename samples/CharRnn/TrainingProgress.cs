using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace CharRnn;

/// <summary>How far a training run is: a bar on a terminal; lines, one a second at most, where the output goes to a file or a program.</summary>
internal static class TrainingProgress
{
    private static readonly TimeSpan s_betweenLines = TimeSpan.FromSeconds(1);

    /// <summary>Runs <paramref name="train"/>, which calls back after every step.</summary>
    public static void During(TrainingRun run, long lastStep, Action<Action> train)
    {
        long start = Stopwatch.GetTimestamp(), first = run.StepCount;
        if (Console.IsOutputRedirected)
        {
            TimeSpan next = TimeSpan.Zero;
            train(() =>
            {
                if (run.StepCount % LossHistory.StepsPerPoint != 0 || (Stopwatch.GetElapsedTime(start) < next && run.StepCount < lastStep))
                    return;
                next = Stopwatch.GetElapsedTime(start) + s_betweenLines;
                Console.WriteLine($"step {run.StepCount,6} of {lastStep}  {Summary()}");
            });
            return;
        }
        AnsiConsole.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                ProgressTask task = context.AddTask("starting", maxValue: Math.Max(1, lastStep));
                train(() =>
                {
                    task.Value = run.StepCount;
                    task.Description = Summary();
                });
            });

        string Summary()
        {
            double speed = (run.StepCount - first) * run.CharactersPerStep / Stopwatch.GetElapsedTime(start).TotalSeconds;
            string losses = run.History.Points.Count == 0
                ? "bits per character: not measured yet"
                : string.Create(CultureInfo.InvariantCulture,
                    $"bits per character: training {run.History.Points[^1].Training:0.000}, held-out {run.History.Points[^1].HeldOut:0.000}");
            return string.Create(CultureInfo.InvariantCulture, $"{losses}; {speed:N0} characters/s");
        }
    }
}
