using System.Diagnostics;
using System.Numerics.Tensors;

namespace TinyLlama;

/// <summary>How fast all cores together read memory beyond the caches: the roof of decoding, which reads every weight once for a token.</summary>
internal static class ReadBandwidth
{
    // Several times the largest caches; read a few times, and the best counts.
    private const int Elements = 1 << 26, Rounds = 5;

    public static double Measure()
    {
        var data = new float[Elements];
        data.AsSpan().Fill(1);
        double best = 0;
        for (int round = 0; round < Rounds; round++)
        {
            var watch = Stopwatch.StartNew();
            int parts = Environment.ProcessorCount;
            Parallel.For(0, parts, part =>
            {
                int begin = (int)((long)Elements * part / parts), end = (int)((long)Elements * (part + 1) / parts);
                GC.KeepAlive(TensorPrimitives.Sum<float>(data.AsSpan(begin, end - begin)));
            });
            best = Math.Max(best, Elements * sizeof(float) / watch.Elapsed.TotalSeconds);
        }
        return best;
    }
}
