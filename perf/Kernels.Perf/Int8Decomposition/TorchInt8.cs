using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>
/// torch's dynamically quantised Linear: activations are quantised with one scale for the whole batch, weights with one for each output. In its own
/// interpreter.
/// </summary>
internal sealed class TorchInt8
{
    // One scale for the whole batch, which outliers stretch, and seven bits where it must not saturate.
    private const double Tolerance = 0.5;

    private readonly Lazy<PythonProcess?> _torch = new(() => Torch.Start("torch_int8_linear.py"));
    private Int8LayerWeights? _layer;

    public RivalStatus Status => Torch.Status("rival/torch-int8", _torch.Value);

    public IContender Open(Int8Buffers buffers, ProductOracle oracle, int threads) => new Session(this, buffers, oracle, threads);

    private string Ask(Int8Buffers buffers, string line)
    {
        if (!ReferenceEquals(_layer, buffers.Weights))
        {
            WithFile(buffers.Weights.Dequantized[0], path =>
                _torch.Value!.Ask(FormattableString.Invariant(
                $"layer {buffers.Case.OutputCount} {buffers.Case.InputCount} {ColdCopies.Of(buffers.Case.WeightCount)} {path}")));
            _layer = buffers.Weights;
        }
        return _torch.Value!.Ask(line);
    }

    private static void WithFile(NativeBuffer<float> content, Action<string> use)
    {
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
            file.Write(MemoryMarshal.AsBytes(content.Span));
        use(path);
        File.Delete(path);
    }

    private sealed class Session : IContender
    {
        private readonly TorchInt8 _rival;
        private readonly Int8Buffers _buffers;
        private readonly ProductOracle _oracle;

        public Session(TorchInt8 rival, Int8Buffers buffers, ProductOracle oracle, int threads)
        {
            (_rival, _buffers, _oracle, Threads) = (rival, buffers, oracle, threads);
            WithFile(buffers.Activations, path => rival.Ask(buffers, $"input {buffers.Case.RowCount} {path}"));
        }

        public string Identity => _rival.Status.Identity;

        public int Threads { get; }

        public double Tolerance => TorchInt8.Tolerance;

        public double Time(int calls) => double.Parse(_rival.Ask(_buffers, $"run {Threads} {calls}"), CultureInfo.InvariantCulture);

        public double LargestError()
        {
            string path = Path.GetTempFileName();
            _rival.Ask(_buffers, $"save {path}");
            using (FileStream file = File.OpenRead(path))
                file.ReadExactly(MemoryMarshal.AsBytes(_buffers.Output.Span));
            File.Delete(path);
            return _oracle.LargestError();
        }

        public void Dispose()
        {
        }
    }
}
