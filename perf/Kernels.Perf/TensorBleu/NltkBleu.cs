using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>NLTK's sentence_bleu over the batch, in its own interpreter, on lists made before the clock starts.</summary>
internal sealed class NltkBleu
{
    // Fractions against doubles.
    private const double Tolerance = 1e-12;

    private readonly Lazy<PythonProcess?> _python = new(() => PythonProcess.Start(EmbeddedText.Read("nltk_bleu.py")));
    private BleuWorkload? _loaded;

    public RivalStatus Status => _python.Value is { } python
        ? new RivalStatus("rival/nltk", python.Version, null)
        : new RivalStatus("rival/nltk", "", "absent: no Python interpreter with NLTK (Debian: python3-nltk)");

    public IContender Open(BleuWorkload workload) => new Session(this, workload);

    private PythonProcess Load(BleuWorkload workload)
    {
        PythonProcess python = _python.Value!;
        if (ReferenceEquals(_loaded, workload))
            return python;
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
            file.Write(MemoryMarshal.AsBytes(workload.Tokens));
        python.Ask($"load {workload.Case.Batch} {workload.Case.Length} {workload.Case.ReferenceCount} {path}");
        File.Delete(path);
        _loaded = workload;
        return python;
    }

    private sealed class Session(NltkBleu rival, BleuWorkload workload) : IContender
    {
        public string Identity => rival.Status.Identity;

        public int Threads => 1;

        public double Tolerance => NltkBleu.Tolerance;

        public double Time(int calls) => double.Parse(rival.Load(workload).Ask($"run {calls}"), CultureInfo.InvariantCulture);

        public double LargestError()
        {
            string path = Path.GetTempFileName();
            rival.Load(workload).Ask($"save {path}");
            var scores = new double[workload.Case.Batch];
            using (FileStream file = File.OpenRead(path))
                file.ReadExactly(MemoryMarshal.AsBytes(scores.AsSpan()));
            File.Delete(path);
            return workload.LargestError(scores);
        }

        public void Dispose() => rival._loaded = null;
    }
}
