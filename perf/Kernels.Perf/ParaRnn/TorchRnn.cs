using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>The same cell as a loop in torch, and for context torch's own dense GRU, in their own interpreter on one thread.</summary>
internal sealed class TorchRnn
{
    /// <summary>Steps that are run: a loop costs the same for each, so longer sequences are scaled up.</summary>
    public const int MaxSteps = 1024;

    private readonly Lazy<PythonProcess?> _python = new(() => Torch.Start("torch_rnn.py"));
    private RnnWorkload? _loaded;

    public RivalStatus Status => Torch.Status("rival/torch", _python.Value,
        $"; at most {MaxSteps} steps are run and the time scaled up; nn.GRU is another, dense cell, for context");

    public IEnumerable<IContender> Open(RnnWorkload workload)
    {
        yield return new Session(this, workload, workload.Case.WithGradients ? "loopgrad" : "loop", "rival/torch-loop", isSameCell: true);
        if (!workload.Case.WithGradients)
            yield return new Session(this, workload, "gru", "rival/torch-nn.GRU (another cell)", isSameCell: false);
    }

    private PythonProcess Load(RnnWorkload workload)
    {
        PythonProcess python = _python.Value!;
        if (ReferenceEquals(_loaded, workload))
            return python;
        int channels = workload.Case.Channels, steps = Math.Min(MaxSteps, workload.Case.Steps);
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
        {
            file.Write(MemoryMarshal.AsBytes(workload.Gates.AsSpan(0, steps * ParaGru.GateCount * channels)));
            file.Write(MemoryMarshal.AsBytes<float>(workload.Weights));
        }
        python.Ask($"load {channels} {steps} {path}");
        File.Delete(path);
        _loaded = workload;
        return python;
    }

    private sealed class Session(TorchRnn rival, RnnWorkload workload, string command, string identity, bool isSameCell) : IContender
    {
        public string Identity => identity;

        public int Threads => 1;

        public bool SolvesTheSameProblem => isSameCell;

        // Wide: it only shows that the same problem was solved.
        public double Tolerance => 1e-5;

        public double Time(int calls)
        {
            double scale = (double)workload.Case.Steps / Math.Min(MaxSteps, workload.Case.Steps);
            return scale * double.Parse(rival.Load(workload).Ask($"{command} {calls}"), CultureInfo.InvariantCulture);
        }

        // The dense cell solves another problem, with weights of its own: there is nothing to compare with.
        public double LargestError()
        {
            PythonProcess python = rival.Load(workload);
            if (!isSameCell)
                return 0;
            string path = Path.GetTempFileName();
            python.Ask($"save {path}");
            var states = new float[Math.Min(MaxSteps, workload.Case.Steps) * workload.Case.Channels];
            using (FileStream file = File.OpenRead(path))
                file.ReadExactly(MemoryMarshal.AsBytes(states.AsSpan()));
            File.Delete(path);
            return workload.LargestError(states);
        }

        public void Dispose() => rival._loaded = null;
    }
}
