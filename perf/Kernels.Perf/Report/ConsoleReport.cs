using CharRnn;
using Spectre.Console;

namespace Kernels.Perf;

/// <summary>A report as tables on the terminal.</summary>
internal static class ConsoleReport
{
    // Where the output is a file or a pipe there is no terminal to be narrow.
    private const int RedirectedWidth = 160;

    public static void Write(Report report)
    {
        IAnsiConsole console = Console();
        console.MarkupLineInterpolated($"[bold]{MachineLabel.Full}[/]");
        console.Write(Measurements("Roofs measured in this run", report.Roofs, report));
        foreach (IGrouping<string, ResultRow> workload in report.Workloads)
            console.Write(Measurements(workload.Key, [.. workload], report));
        if (report.Chain is { } chain)
            Write(console, chain);
        foreach (RivalStatus rival in report.Rivals)
            console.MarkupLineInterpolated($"{rival.Identity}: {rival.AbsentReason ?? rival.Version}");
        if (GpuBackendNote.LeftOutReason is { } reason)
            console.MarkupLineInterpolated($"{reason}");
        if (report.Passed)
            console.MarkupLine("[green]Every check against the oracle held.[/]");
        else
            console.MarkupLine("[red]A check against the oracle failed: see the errors in red.[/]");
    }

    public static IAnsiConsole Console()
    {
        if (!System.Console.IsOutputRedirected)
            return AnsiConsole.Console;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = RedirectedWidth;
        return console;
    }

    private static Table Measurements(string title, IReadOnlyList<ResultRow> rows, Report report)
    {
        bool rivals = rows.Any(row => row.IsRival), recorded = rows.Any(row => row.Recorded is not null);
        Table table = new Table().Border(TableBorder.Simple).Title($"[bold]{Markup.Escape(title)}[/]").LeftAligned();
        string[] numbers = ["threads", "median ms", "minimum ms", "rate", "of roof", "largest error"];
        table.AddColumn("variant");
        foreach (string heading in numbers.Concat(rivals ? ["ours is faster"] : []).Concat(recorded ? ["off the file's own"] : []))
            table.AddColumn(heading, column => column.RightAligned());
        foreach (ResultRow row in rows)
            table.AddRow([.. Cells(row), .. rivals ? [Advantage(report, row)] : (string[])[], .. recorded ? [Recorded(row)] : (string[])[]]);
        return table;
    }

    private static void Write(IAnsiConsole console, ModelChain chain)
    {
        Table table = new Table().Border(TableBorder.Simple).Title($"[bold]{Markup.Escape(ModelChain.Title)}[/]").LeftAligned();
        table.AddColumn("matrices");
        foreach (string heading in (string[])["bits per character", "bytes", "reads characters/s", "writes characters/s"])
            table.AddColumn(heading, column => column.RightAligned());
        foreach (WeightRow row in chain.Rows)
            table.AddRow(Markup.Escape(row.Name), Coloured(Format.Bits(row), chain.Passed), Format.Count(row.ByteCount), Format.Count(row.CharactersReadPerSecond), Format.Count(row.CharactersWrittenPerSecond));
        console.Write(table);
        console.MarkupLineInterpolated($"{chain.Summary}");
        foreach (WeightRow row in chain.Rows)
            console.MarkupLineInterpolated($"[bold]{row.Name}:[/] {Format.OneLine(row.Sample)}");
        console.WriteLine();
    }

    private static string[] Cells(ResultRow row) =>
    [
        Markup.Escape(row.Identity), $"{row.Threads}", Format.Milliseconds(row.MsMedian), Format.Milliseconds(row.MsMin), Format.Rate(row),
        row.IsRoof ? "" : Format.Percent(row.RoofPercent), Coloured(Format.Error(row), row.Held),
    ];

    private static string Advantage(Report report, ResultRow row) => report.Advantage(row) is { } ratio ? Format.Ratio(ratio) : "";

    private static string Recorded(ResultRow row) => row.Recorded is { } recorded ? Coloured(Format.Error(recorded.LargestDifference), recorded.Held) : "";

    private static string Coloured(string text, bool held) => held ? text : $"[red]{text}[/]";
}
