using Kernels.Core.LinearCrossEntropy;
using Kernels.Core.Threading;
using Kernels.Cpu.Memory;
using Kernels.Cpu.Simd;

namespace Kernels.Cpu.LinearCrossEntropy;

/// <summary>The driver: block of tokens after block, the vocabulary in stretches among threads, stretches added up in their order. Knows no
/// instruction set.</summary>
internal sealed unsafe class LinearCrossEntropyCpu<TSimd, V> : ILinearCrossEntropyBackend
    where TSimd : struct, ISimd<V, float>
    where V : unmanaged
{
    public double Forward(in ClassifierRows rows, in KernelOptions options)
    {
        int most = Math.Min(LinearCrossEntropyTuning.BlockTokens, rows.Shape.TokenCount), threads = LinearCrossEntropyTuning.ThreadCount(rows.Shape, options);
        long sumCount = (long)LogitTiling.StretchesOf(rows.Shape.VocabularySize) * most;
        using var scratch = new RentedScratch(RentedScratch.Bytes<LogitSum>(sumCount) + RentedScratch.Bytes<float>(most));
        LogitSum* sums = scratch.Take<LogitSum>(sumCount);
        float* targetLogits = scratch.Take<float>(most);
        ClearIgnored(rows);
        var loss = new CompensatedSum();
        for (TokenBlock block = TokenBlock.Next(rows, 0); block.Count > 0; block = TokenBlock.Next(rows, block.End))
        {
            var tiling = LogitTiling.Of(rows.Shape, block.Count, threads);
            var job = new LogitTileJob<TSimd, V>(rows, block, tiling, sums, targetLogits);
            RangeRunner.Run(job, tiling.ItemCount, 1, threads, options.CancellationToken);
            for (int token = 0; token < block.Count; token++)
            {
                if (rows.Targets[block.First + token] != rows.IgnoredTarget)
                    loss.Add(Finish(rows, block, token, tiling.StretchCount, sums, targetLogits[token]));
            }
        }
        return loss.Total;
    }

    private static double Finish(in ClassifierRows rows, TokenBlock block, int token, int stretches, LogitSum* sums, float targetLogit)
    {
        LogitSum sum = sums[token];
        for (int stretch = 1; stretch < stretches; stretch++)
            sum = sum.Plus(sums[(long)stretch * block.Count + token]);
        (double logSumExp, double logProbability) = sum.Logarithms<TSimd, V>(targetLogit);
        // 0 - x: the loss of a certain word is 0, not its negative.
        double loss = 0 - logProbability;
        Write(rows.Losses, block.First + token, loss);
        Write(rows.LogProbabilities, block.First + token, logProbability);
        Write(rows.LogSumExp, block.First + token, logSumExp);
        return loss;
    }

    private static void ClearIgnored(in ClassifierRows rows)
    {
        for (int token = 0; token < rows.Shape.TokenCount; token++)
        {
            if (rows.Targets[token] != rows.IgnoredTarget)
                continue;
            Write(rows.Losses, token, 0);
            Write(rows.LogProbabilities, token, 0);
            Write(rows.LogSumExp, token, 0);
        }
    }

    private static void Write(float* output, int token, double value)
    {
        if (output != null)
            output[token] = (float)value;
    }
}
