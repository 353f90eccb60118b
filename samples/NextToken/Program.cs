// The ten likeliest next tokens of a language model, from one row of logits.
//
//   dotnet run --project samples/NextToken -- [temperature] [logits.f32]
//
// The file holds little-endian 32-bit floats, one for each token of the vocabulary; without it a row of Llama 3's vocabulary size is made up.
// The temperature divides the logits: below 1 the likely become likelier, above 1 all become more alike.
using System.Globalization;
using System.Runtime.InteropServices;
using Kernels;

const int VocabularySize = 128256;
const int Count = 10;

double temperature = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 0.7;
float[] logits = args.Length > 1 ? MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(args[1])).ToArray() : MadeUp(VocabularySize);

// One call: temperature, softmax over the whole vocabulary, and its largest probabilities. The full row of probabilities is never written.
var probabilities = new float[Count];
var tokens = new int[Count];
Softmax.TopK(logits, probabilities, tokens, rowLength: logits.Length, Count, new SoftmaxOptions<float> { Scale = 1 / temperature });

Console.WriteLine($"{logits.Length} tokens at temperature {temperature.ToString(CultureInfo.InvariantCulture)}");
Console.WriteLine("rank   token  probability");
for (int rank = 0; rank < Count; rank++)
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rank + 1,4} {tokens[rank],7} {probabilities[rank],12:P2}"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the other {logits.Length - Count} together: {1 - probabilities.Sum():P2}"));

// Logits as models have them: a broad bell of unlikely tokens and a few that fit.
static float[] MadeUp(int vocabularySize)
{
    var random = new Random(Seed: 1);
    var row = new float[vocabularySize];
    for (int token = 0; token < row.Length; token++)
        row[token] = 2 * (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f);
    for (int fitting = 0; fitting < 20; fitting++)
        row[random.Next(vocabularySize)] = 12 - 0.4f * fitting;
    return row;
}
