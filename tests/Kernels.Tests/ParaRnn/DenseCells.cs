using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>
/// Recurrences whose weights mix all channels, as torch and TensorFlow have them: one product with a dense matrix in every step, for all sequences at once.
/// Beyond the diagonal cells of the library, whose products they run on; the gates are computed in double.
/// </summary>
internal static class DenseCells
{
    /// <summary>
    /// torch.nn.GRU, gates in the order r, z, n: n = tanh(W_n x + b_n + r (U_n h + c_n)), h' = (1 - z) n + z h.
    /// </summary>
    /// <param name="input">W and b.</param>
    /// <param name="recurrent">U and c.</param>
    /// <param name="x">[sequences, inputs].</param>
    /// <param name="state">h, [sequences, hidden]; receives h'.</param>
    public static void StepGru(LinearLayer input, LinearLayer recurrent, ReadOnlySpan<float> x, Span<float> state)
    {
        int hidden = recurrent.InputCount;
        float[] byInput = new float[3 * state.Length], byState = new float[3 * state.Length];
        input.Forward(x, byInput);
        recurrent.Forward(state, byState);
        for (int i = 0; i < state.Length; i++)
        {
            int r = i / hidden * 3 * hidden + i % hidden, z = r + hidden, n = z + hidden;
            double reset = Sigmoid((double)byInput[r] + byState[r]), update = Sigmoid((double)byInput[z] + byState[z]);
            state[i] = (float)((1 - update) * Math.Tanh(byInput[n] + reset * byState[n]) + update * state[i]);
        }
    }

    /// <summary>
    /// TensorFlow's BasicLSTMCell with a forget bias of 1, gates in the order i, j, f, o: c' = sigmoid(f + 1) c + sigmoid(i) tanh(j), h' = sigmoid(o) tanh(c').
    /// </summary>
    /// <param name="gates">From (x, h) to the gates.</param>
    /// <param name="x">[sequences, inputs].</param>
    /// <param name="memory">c, [sequences, hidden]; receives c'.</param>
    /// <param name="state">h, [sequences, hidden]; receives h'.</param>
    public static void StepLstm(LinearLayer gates, ReadOnlySpan<float> x, Span<float> memory, Span<float> state)
    {
        const int forgetBias = 1;
        int hidden = gates.OutputCount / 4, inputs = gates.InputCount - hidden, sequences = state.Length / hidden;
        float[] joined = new float[sequences * gates.InputCount], g = new float[sequences * gates.OutputCount];
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            x.Slice(sequence * inputs, inputs).CopyTo(joined.AsSpan(sequence * gates.InputCount));
            state.Slice(sequence * hidden, hidden).CopyTo(joined.AsSpan(sequence * gates.InputCount + inputs));
        }
        gates.Forward(joined, g);
        for (int k = 0; k < state.Length; k++)
        {
            int i = k / hidden * 4 * hidden + k % hidden, j = i + hidden, f = j + hidden, o = f + hidden;
            memory[k] = (float)(Sigmoid(g[f] + (double)forgetBias) * memory[k] + Sigmoid(g[i]) * Math.Tanh(g[j]));
            state[k] = (float)(Sigmoid(g[o]) * Math.Tanh(memory[k]));
        }
    }

    /// <summary>A layer with these weights, [outputs, inputs].</summary>
    public static LinearLayer Layer(float[] weights, float[] biases)
    {
        var layer = new LinearLayer("dense", weights.Length / biases.Length, biases.Length, seed: 0);
        weights.CopyTo(layer.Weights.Values, 0);
        biases.CopyTo(layer.Biases.Values, 0);
        return layer;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
