using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>torch.softmax with its output given, in torch's own interpreter on its own memory.</summary>
internal sealed class TorchSoftmax : ISoftmaxRival
{
    private readonly Lazy<PythonProcess?> _torch = new(() => Torch.Start("torch_softmax.py"));
    private SoftmaxBuffers<float>? _loaded;

    public RivalStatus Status => Torch.Status("rival/torch", _torch.Value);

    public bool UsesThreads => true;

    public IContender Open(SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, int threads) => new Session(this, buffers, oracle, threads);

    private PythonProcess Load(SoftmaxBuffers<float> buffers)
    {
        PythonProcess torch = _torch.Value!;
        if (ReferenceEquals(_loaded, buffers))
            return torch;
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
            file.Write(MemoryMarshal.AsBytes(buffers.Input(0).Span));
        torch.Ask($"load {buffers.Case.RowCount} {buffers.Case.RowLength} {buffers.Count} {path}");
        File.Delete(path);
        _loaded = buffers;
        return torch;
    }

    private sealed class Session(TorchSoftmax rival, SoftmaxBuffers<float> buffers, SoftmaxOracle<float> oracle, int threads) : IContender
    {
        public string Identity => rival.Status.Identity;

        public int Threads => threads;

        public double Tolerance => ISoftmaxRival.Tolerance;

        public double Time(int calls) => double.Parse(rival.Load(buffers).Ask($"run {threads} {calls}"), CultureInfo.InvariantCulture);

        public double LargestError()
        {
            string path = Path.GetTempFileName();
            rival.Load(buffers).Ask($"save {path}");
            using (FileStream file = File.OpenRead(path))
                file.ReadExactly(MemoryMarshal.AsBytes(buffers.Output(0).Span));
            File.Delete(path);
            return oracle.LargestError(buffers.Output(0));
        }

        public void Dispose() => rival._loaded = null;
    }
}
