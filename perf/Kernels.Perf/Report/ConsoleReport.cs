using CharRnn;
using Spectre.Console;

namespace Kernels.Perf;

/// <summary>A report as tables on the terminal.</summary>
internal static class ConsoleReport
{
    // Where the output is a file or a pipe there is no terminal to be narrow.
    private const int RedirectedWidth = 160;

    // Below it the columns that are least missed are left out.
    private const int FullWidth = 100;

    public static void Write(Report report)
    {
        IAnsiConsole console = Console();
        console.MarkupLineInterpolated($"[bold]{MachineLabel.Full}[/]");
        console.Write(Measurements("Roofs measured in this run", report.Roofs, report, console));
        foreach (IGrouping<string, ResultRow> workload in report.Workloads)
            console.Write(Measurements(Report.Heading(workload), [.. workload], report, console));
        if (report.HasSeveralFamilies)
            console.Write(AtAGlance(report, console));
        if (report.Chain is { } chain)
            Write(chain, console);
        foreach (RivalStatus rival in report.Rivals)
            console.MarkupLineInterpolated($"{rival.Identity}: {rival.Text}");
        if (GpuBackendNote.LeftOutReason is { } reason)
            console.MarkupLineInterpolated($"{reason}");
        if (report.Passed)
            console.MarkupLine("[green]Every check against the oracle held.[/]");
        else
            console.MarkupLine("[red]A check failed: see the numbers in red.[/]");
    }

    public static IAnsiConsole Console()
    {
        if (!System.Console.IsOutputRedirected)
            return AnsiConsole.Console;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = RedirectedWidth;
        return console;
    }

    private static Table Titled(string title, string firstColumn, IEnumerable<string> numberColumns)
    {
        Table table = new Table().Border(TableBorder.Simple).Title($"[bold]{Markup.Escape(title)}[/]").LeftAligned();
        table.AddColumn(firstColumn);
        foreach (string heading in numberColumns)
            table.AddColumn(heading, column => column.RightAligned().NoWrap());
        return table;
    }

    private static Table Measurements(string title, IReadOnlyList<ResultRow> rows, Report report, IAnsiConsole console)
    {
        bool wide = console.Profile.Width >= FullWidth;
        var columns = new List<(string Heading, Func<ResultRow, string> Cell)> { ("threads", row => $"{row.Threads}"),
            ("median\nms", row => Format.Milliseconds(row.MsMedian)) };
        if (wide)
            columns.Add(("minimum\nms", row => Format.Milliseconds(row.MsMin)));
        columns.Add(("rate", Format.Rate));
        if (!rows.All(row => row.IsRoof))
        {
            columns.Add(("of\nroof", Format.OfRoof));
            columns.Add(("largest\nerror", row => Coloured(Format.Error(row), row.Held)));
        }
        if (rows.Any(row => row.IsRival))
            columns.Add(("ours is\nfaster", report.AdvantageText));
        if (rows.Any(row => row.Recorded is not null))
            columns.Add(("off the\nfile's own", row => row.Recorded is { } recorded ? Coloured(Format.Error(recorded.LargestDifference), recorded.Held) : ""));
        Table table = Titled(title, "variant", columns.Select(column => column.Heading));
        foreach (ResultRow row in rows)
            table.AddRow([Coloured(row.ShortIdentity, row.Passed), .. columns.Select(column => column.Cell(row))]);
        return table;
    }

    private static Table AtAGlance(Report report, IAnsiConsole console)
    {
        bool wide = console.Profile.Width >= FullWidth;
        Table table = Titled("At a glance: each family's default variant on its first workload", "family", wide
            ? ["variant", "threads", "rate", "of\nroof", "checks\nheld"] : ["rate", "of\nroof", "checks\nheld"]);
        foreach (FamilyLine line in report.AtAGlance)
        {
            string[] numbers = [Format.Rate(line.Row), Format.Percent(line.Row.RoofPercent), Coloured(line.ChecksText, line.ChecksHeld == line.Checks)];
            table.AddRow([line.Row.Family, .. wide ? [Markup.Escape(line.Row.ShortIdentity), $"{line.Row.Threads}"] : (string[])[], .. numbers]);
        }
        return table;
    }

    private static void Write(ModelChain chain, IAnsiConsole console)
    {
        Table table = Titled(ModelChain.Title, "matrices", ["bits per\ncharacter", "bytes", "characters/s\nread", "characters/s\nwritten"]);
        foreach (WeightRow row in chain.Rows)
            table.AddRow(Markup.Escape(row.Name), Coloured(Format.Bits(row), chain.Passed), Format.Count(row.ByteCount),
                Format.Count(row.CharactersReadPerSecond), Format.Count(row.CharactersWrittenPerSecond));
        console.Write(table);
        console.MarkupLineInterpolated($"{chain.Summary}");
        console.WriteLine();
        foreach (WeightRow row in chain.Rows)
            console.MarkupLineInterpolated($"[bold]{row.Name}[/] writes: {Format.OneLine(row.Sample)}");
        console.WriteLine();
    }

    private static string Coloured(string text, bool held) => held ? Markup.Escape(text) : $"[red]{Markup.Escape(text)}[/]";
}
