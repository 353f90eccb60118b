// Trains a character-level language model on a text file and lets it write.
//
//   dotnet run -c Release --project samples/CharacterModel -- FILE [steps] [hidden] [model.safetensors]
//
// Two stacked ParaGRU layers, AdamW, gradients clipped to norm 1. The loss is written to loss.svg, the model to the file named last.
using System.Diagnostics;
using System.Globalization;
using CharacterModel;
using Kernels;

const int SequenceCount = 16, StepCount = 128, LayerCount = 2, SampleLength = 400, ReportEvery = 20;
const double Rate = 4e-3, Temperature = 0.8;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: CharacterModel FILE [steps] [hidden] [model.safetensors]");
    return 2;
}
string text = File.ReadAllText(args[0]);
int steps = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 300, hidden = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 128;
string alphabet = string.Concat(text.Distinct().Order());
var model = new LanguageModel(alphabet, hidden, LayerCount, Rate);
int[] encoded = model.Encode(text);
var random = new Random(Seed: 1);
var losses = new List<double>();
long start = Stopwatch.GetTimestamp();
for (int step = 1; step <= steps; step++)
{
    losses.Add(model.Train(encoded, SequenceCount, StepCount, random));
    if (step % ReportEvery == 0)
    {
        double speed = (double)step * SequenceCount * StepCount / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step,5}  loss {losses.TakeLast(ReportEvery).Average():0.000}  {speed:0} characters a second"));
    }
}
LossPlot.Save("loss.svg", losses);
if (args.Length > 3)
    RnnCheckpoint.Save(args[3], model.Parameters);
Console.WriteLine(model.Sample(text[..1], SampleLength, Temperature, random));
return 0;
