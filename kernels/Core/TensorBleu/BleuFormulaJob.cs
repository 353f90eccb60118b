namespace Kernels;

/// <summary>Scores of sentences whose statistics are known: [sentences, sets].</summary>
internal readonly unsafe struct BleuFormulaJob(BleuFormula formula, BleuStatistics* statistics, double* scores) : IRangeJob
{
    private readonly BleuFormula _formula = formula;
    private readonly BleuStatistics* _statistics = statistics;
    private readonly double* _scores = scores;

    public void Run(long begin, long end)
    {
        for (long sentence = begin; sentence < end; sentence++)
            _formula.Score(_statistics[sentence], _scores + sentence * _formula.SetCount);
    }
}
