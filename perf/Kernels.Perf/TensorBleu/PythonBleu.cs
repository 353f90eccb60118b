using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Perf;

/// <summary>A Python library that scores batches, in its own interpreter, on objects made before the clock starts.</summary>
/// <param name="identity">See <see cref="IContender.Identity"/>.</param>
/// <param name="script">Imports the library and defines prepare and score; bleu_service.py, put behind it, calls them.</param>
/// <param name="absence">Why there is none, if no interpreter has it.</param>
/// <param name="tolerance">See <see cref="IContender.Tolerance"/>.</param>
/// <param name="usesTorch">Whether it runs on torch, and so has threads.</param>
/// <param name="isPerSentence">Whether it scores one sentence after another, so that a part of the batch tells the time of all.</param>
internal sealed class PythonBleu(string identity, string script, string absence, double tolerance, bool usesTorch, bool isPerSentence)
{
    private const string Service = "bleu_service.py";

    // Of libraries that score one sentence after another, which take up to 10 ms for one.
    private const int SampleSentences = 32;

    // The published algorithm has tables of sentences x n-grams of the whole batch, of 8 bytes each and about five at a time.
    // Beyond 32 MiB one call takes a second or more, and there must be a dozen of them.
    private const long LargestTableBytes = 32L << 20;

    private readonly Lazy<PythonProcess?> _python =
        new(() => usesTorch ? Torch.Start(script, Service) : PythonProcess.Start(EmbeddedText.Read(script) + EmbeddedText.Read(Service)));
    private BleuWorkload? _loaded;

    public RivalStatus Status => usesTorch ? Torch.Status(identity, _python.Value) : _python.Value is { } python
        ? new RivalStatus(identity, python.Version, null) : new RivalStatus(identity, "", $"absent: {absence}");

    /// <summary>One for each number of threads that makes a difference; none if it is absent or the batch too large for it.</summary>
    public IEnumerable<IContender> Open(BleuWorkload workload, IReadOnlyList<int> threadCounts)
    {
        if (_python.Value is null || (!isPerSentence && sizeof(long) * workload.Case.Batch * workload.Case.TokenCount > LargestTableBytes))
            return [];
        return threadCounts.Where(threads => usesTorch || threads == 1).Select(threads => new Session(this, workload, threads));
    }

    private int SentencesOf(BleuWorkload workload) => isPerSentence ? Math.Min(workload.Case.Batch, SampleSentences) : workload.Case.Batch;

    private PythonProcess Load(BleuWorkload workload)
    {
        PythonProcess python = _python.Value!;
        if (ReferenceEquals(_loaded, workload))
            return python;
        string path = Path.GetTempFileName();
        using (FileStream file = File.Create(path))
            file.Write(MemoryMarshal.AsBytes(workload.Tokens));
        python.Ask($"load {workload.Case.Batch} {SentencesOf(workload)} {workload.Case.Length} {workload.Case.ReferenceCount} {path}");
        File.Delete(path);
        _loaded = workload;
        return python;
    }

    private sealed class Session(PythonBleu rival, BleuWorkload workload, int threads) : IContender
    {
        public string Identity => rival.Status.Identity;

        public int Threads => threads;

        public double Tolerance => rival.Tolerance;

        public double Time(int calls) =>
            double.Parse(rival.Load(workload).Ask($"run {threads} {calls}"), CultureInfo.InvariantCulture) * workload.Case.Batch / rival.SentencesOf(workload);

        public double LargestError()
        {
            string path = Path.GetTempFileName();
            rival.Load(workload).Ask($"save {path}");
            var scores = new double[rival.SentencesOf(workload)];
            using (FileStream file = File.OpenRead(path))
                file.ReadExactly(MemoryMarshal.AsBytes(scores.AsSpan()));
            File.Delete(path);
            return workload.LargestError(scores);
        }

        public void Dispose() => rival._loaded = null;
    }

    private double Tolerance => tolerance;
}
