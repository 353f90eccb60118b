using System.Runtime.InteropServices;
using System.Text.Json;
using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>Weights that others trained and published, with dense recurrence: what they said there they say here.</summary>
public sealed class TrainedModelTests
{
    private const string Folder = "models/charlstm-shakespeare";

    /// <summary>The first is printed in the documentation of g2p_en; the others come of its published equations and weights in double precision.</summary>
    [SkippableTheory]
    [InlineData("activationist", "AE2 K T IH0 V EY1 SH AH0 N IH0 S T")]
    [InlineData("kernel", "K ER1 N AH0 L")]
    [InlineData("softmax", "S AO1 F T M AE2 K S")]
    [InlineData("recurrence", "R IH0 K ER1 AH0 N S")]
    [InlineData("tokenizer", "T OW1 K AH0 N AY2 Z ER0")]
    [InlineData("quantization", "K W AA2 N T AH0 Z EY1 SH AH0 N")]
    public void AGruSpeaksWordsAsPublished(string word, string phonemes)
    {
        Dictionary<string, float[]> weights = NumpyArchive.Read(SharedData.Find("models/g2p-gru/checkpoint20.npz"));
        Assert.Equal(phonemes, string.Join(' ', Pronounce(weights, word)));
    }

    // Letters and phonemes in the order of the model's embeddings.
    private static IEnumerable<string> Pronounce(Dictionary<string, float[]> weights, string word)
    {
        const int firstLetter = 3, endOfWord = 2, start = 2, end = 3, mostPhonemes = 20;
        string[] phonemes =
        [
            "<pad>", "<unk>", "<s>", "</s>",
            .. ("AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 " +
                "IY0 IY1 IY2 JH K L M N NG "
                + "OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH").Split(' '),
        ];
        LinearLayer output = DenseCells.Layer(weights["fc_w"], weights["fc_b"]);
        float[] state = new float[output.InputCount], scores = new float[output.OutputCount];
        foreach (int letter in word.Select(letter => letter - 'a' + firstLetter).Append(endOfWord))
            Step("enc", letter);
        int phoneme = start;
        for (int i = 0; i < mostPhonemes; i++)
        {
            Step("dec", phoneme);
            output.Forward(state, scores);
            phoneme = Array.IndexOf(scores, scores.Max());
            if (phoneme == end)
                yield break;
            yield return phonemes[phoneme];
        }

        void Step(string side, int symbol)
        {
            LinearLayer input = DenseCells.Layer(weights[$"{side}_w_ih"], weights[$"{side}_b_ih"]),
                recurrent = DenseCells.Layer(weights[$"{side}_w_hh"], weights[$"{side}_b_hh"]);
            DenseCells.StepGru(input, recurrent, weights[$"{side}_emb"].AsSpan(symbol * input.InputCount, input.InputCount), state);
        }
    }

    /// <summary>
    /// Two layers of 128 units predict the text they were trained on at two bits a character; even odds for 65 characters are six, single letters' frequencies
    /// 4.8.
    /// </summary>
    [SkippableFact]
    public void AnLstmPredictsShakespeare()
    {
        const int sequences = 64, steps = 256;
        int[] text = Encode(File.ReadAllText(SharedData.Find("text/tinyshakespeare.txt"))[..(sequences * steps)]);
        float[] embedding = Tensor("embedding");
        LinearLayer[] layers = [.. new[] { "cell_0", "cell_1" }.Select(cell =>
            Layer($"rnnlm_multi_rnn_cell_{cell}_basic_lstm_cell_weights", $"rnnlm_multi_rnn_cell_{cell}_basic_lstm_cell_biases"))];
        LinearLayer output = Layer("rnnlm_softmax_w", "rnnlm_softmax_b");
        int hidden = output.InputCount, inputs = layers[0].InputCount - hidden;
        float[] x = new float[sequences * inputs], scores = new float[sequences * output.OutputCount];
        float[][] memories = [.. layers.Select(_ => new float[sequences * hidden])], states = [.. layers.Select(_ => new float[sequences * hidden])];
        double nats = 0;
        for (int t = 0; t < steps - 1; t++)
        {
            for (int sequence = 0; sequence < sequences; sequence++)
                embedding.AsSpan(text[sequence * steps + t] * inputs, inputs).CopyTo(x.AsSpan(sequence * inputs));
            DenseCells.StepLstm(layers[0], x, memories[0], states[0]);
            DenseCells.StepLstm(layers[1], states[0], memories[1], states[1]);
            output.Forward(states[1], scores);
            for (int sequence = 0; sequence < sequences; sequence++)
                nats += Surprise(scores.AsSpan(sequence * output.OutputCount, output.OutputCount), text[sequence * steps + t + 1]);
        }
        // 2.0215 by the same equations in NumPy.
        Assert.InRange(nats / Math.Log(2) / (sequences * (steps - 1)), 2.021, 2.022);
    }

    private static double Surprise(ReadOnlySpan<float> scores, int symbol)
    {
        double sum = 0;
        foreach (float score in scores)
            sum += Math.Exp((double)score);
        return Math.Log(sum) - scores[symbol];
    }

    // Where the vocabulary was written, both letters u lost themselves to a Python prefix.
    private static int[] Encode(string text)
    {
        using JsonDocument vocabulary = JsonDocument.Parse(File.ReadAllBytes(SharedData.Find($"{Folder}/vocab.json")));
        Dictionary<string, int> codes = vocabulary.RootElement.EnumerateObject()
            .ToDictionary(entry => entry.Name switch { "" => "U", "  " => "u", _ => entry.Name }, entry => entry.Value.GetInt32());
        return [.. text.Select(letter => codes[letter.ToString()])];
    }

    private static float[] Tensor(string name) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(SharedData.Find($"{Folder}/{name}"))).ToArray();

    // TensorFlow keeps [inputs, outputs].
    private static LinearLayer Layer(string weights, string biases)
    {
        float[] byInput = Tensor(weights), bias = Tensor(biases), byOutput = new float[byInput.Length];
        int inputs = byInput.Length / bias.Length;
        for (int i = 0; i < byInput.Length; i++)
            byOutput[i % bias.Length * inputs + i / bias.Length] = byInput[i];
        return DenseCells.Layer(byOutput, bias);
    }
}
