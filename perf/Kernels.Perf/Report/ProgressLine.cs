using Spectre.Console;

namespace Kernels.Perf;

/// <summary>Says on standard error what is being done: a spinner on a terminal, lines elsewhere, nothing where only JSON is wanted.</summary>
internal sealed class ProgressLine
{
    private readonly StatusContext? _status;

    private ProgressLine(StatusContext? status) => _status = status;

    /// <summary>Runs <paramref name="work"/> with a progress line. JSON lines stay alone even where standard error is sent to the same place.</summary>
    public static TResult During<TResult>(bool json, Func<ProgressLine, TResult> work)
    {
        if (json && Console.IsErrorRedirected)
            return work(new ProgressLine(null));
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().Start("starting", status => work(new ProgressLine(status)));
    }

    public void Say(string text)
    {
        if (_status is not null)
            _status.Status = Markup.Escape(text);
    }
}
