using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>
/// Attention as torch 1.13 has it on CPUs, in torch's own interpreter on its own memory: products of batches of matrices and softmax, in float.
/// </summary>
internal sealed class TorchAttention
{
    private const double Tolerance = 1e-2;

    private readonly Lazy<PythonProcess?> _torch = new(() => Torch.Start("torch_attention.py"));
    private AttentionData? _loaded;

    public RivalStatus Status => Torch.Status("rival/torch", _torch.Value);

    public IContender Open(AttentionData data, int threads) => new Session(this, data, new AttentionOracle(data, null, null), threads);

    private PythonProcess Load(AttentionData data)
    {
        PythonProcess torch = _torch.Value!;
        if (ReferenceEquals(_loaded, data))
            return torch;
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
        {
            file.Write(MemoryMarshal.AsBytes(data.QuerySet(0)));
            file.Write(MemoryMarshal.AsBytes(data.Keys.Span));
            file.Write(MemoryMarshal.AsBytes(data.Values.Span));
        }
        AttentionShape shape = data.Case.Shape;
        torch.Ask($"load {data.Case.QueryCount} {data.Case.KeyCount} {shape.QueryHeads} {shape.KeyValueHeads} {shape.HeadDimension} {path}");
        File.Delete(path);
        _loaded = data;
        return torch;
    }

    private sealed class Session(TorchAttention rival, AttentionData data, AttentionOracle oracle, int threads) : IContender
    {
        public string Identity => rival.Status.Identity;

        public int Threads => threads;

        public double Tolerance => TorchAttention.Tolerance;

        public double Time(int calls) => double.Parse(rival.Load(data).Ask($"run {threads} {calls}"), CultureInfo.InvariantCulture);

        public double LargestError()
        {
            string path = Path.GetTempFileName();
            rival.Load(data).Ask($"save {path}");
            using (FileStream file = File.OpenRead(path))
                file.ReadExactly(MemoryMarshal.AsBytes(data.Output.Span));
            File.Delete(path);
            return oracle.LargestError();
        }

        public void Dispose() => rival._loaded = null;
    }
}
