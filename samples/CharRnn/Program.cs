// A character-level language model from a text to a quantised model.
//
//   dotnet run -c Release --project samples/CharRnn -- train --checkpoint stories.safetensors --plot loss.svg
//   dotnet run -c Release --project samples/CharRnn -- write --checkpoint stories.safetensors
//   dotnet run -c Release --project samples/CharRnn -- quantize --checkpoint stories.safetensors
//
// Without a FILE, the text is stories that the program makes itself (Model/stories.grammar).
using System.CommandLine;
using System.CommandLine.Invocation;
using CharRnn;

var root = new RootCommand("Trains a character-level language model of ParaGRU or ParaLSTM layers, lets it write, and compares it with its quantised forms.")
{
    TrainVerb.Create(), WriteVerb.Create(), QuantizeVerb.Create(),
};
ParseResult parsed;
try
{
    parsed = root.Parse(args);
}
catch (InvalidOperationException exception) // what a validator meets that asks for a number where there is none
{
    return Verbs.Refuse(exception.Message);
}
if (parsed.Action is ParseErrorAction)
    return Verbs.Refuse(string.Join(' ', parsed.Errors.Select(error => error.Message)));
// Time enough to finish a step and to write a last checkpoint after Ctrl-C.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
