using System.CommandLine;
using Spectre.Console;

namespace Kernels.Perf;

/// <summary><c>info</c>: the machine, the backends, and which variant runs for each operation and why the others do not.</summary>
internal static class InfoVerb
{
    public static Command Create()
    {
        Option<bool> json = VerbOptions.Json();
        var command = new Command("info", "Processor features, backends, chosen variants and why others are absent.") { json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
                WriteJson();
            else
                WriteTables(ConsoleReport.Console());
            return ExitCode.Passed;
        });
        return command;
    }

    private static IEnumerable<(string Name, string Fact)> Machine()
    {
        MachineInfo machine = KernelInfo.Machine;
        yield return ("processor", machine.ProcessorName);
        yield return ("processors", $"{machine.ProcessorCount}");
        yield return ("level 1 data cache", Format.Bytes(machine.Level1DataBytes));
        yield return ("level 2 cache", Format.Bytes(machine.Level2Bytes));
        yield return ("level 3 cache", Format.Bytes(machine.Level3Bytes));
        yield return ("instruction sets", string.Join(", ", machine.InstructionSets));
        yield return ("platform", machine.Platform);
        yield return ("KERNELS_FORCE", KernelInfo.ForcedVariants ?? "not set");
        yield return ("GPU backend", GpuBackendNote.Text);
    }

    private static IEnumerable<(string Operation, KernelVariant Variant, string State)> Variants() =>
        from dispatch in KernelInfo.Catalogue
        from variant in dispatch.Variants
        select (dispatch.Operation, variant, State(variant, dispatch.Chosen));

    private static string State(KernelVariant variant, KernelVariant chosen) =>
        variant == chosen ? "chosen"
        : variant.Availability == VariantAvailability.Available ? "available"
        : $"absent: {variant.Reason}";

    private static void WriteJson()
    {
        foreach ((string name, string fact) in Machine())
            Console.WriteLine(JsonLine.OfFact("machine", name, fact));
        foreach ((string operation, KernelVariant variant, string state) in Variants())
            Console.WriteLine(JsonLine.OfFact(operation, variant.Identity, state));
    }

    private static void WriteTables(IAnsiConsole console)
    {
        Table machine = new Table().Border(TableBorder.Simple).HideHeaders().AddColumns("fact", "value");
        foreach ((string name, string fact) in Machine())
            machine.AddRow(Markup.Escape(name), Markup.Escape(fact));
        console.Write(machine);
        Table variants = new Table().Border(TableBorder.Simple).AddColumns("operation", "variant", "state");
        foreach ((string operation, KernelVariant variant, string state) in Variants())
            variants.AddRow(operation, Markup.Escape(variant.Identity), state == "chosen" ? "[green]chosen[/]" : Markup.Escape(state));
        console.Write(variants);
    }
}
