namespace Kernels.Core.TensorBleu;

/// <summary>Where the statistics of each candidate go: into memory as they are, into scores, or both. Holds pointers that the caller has pinned.</summary>
/// <param name="statistics">[candidates], or null.</param>
/// <param name="formula">Makes scores.</param>
/// <param name="scores">[candidates, sets], or null.</param>
internal readonly unsafe struct BleuResults(BleuStatistics* statistics, BleuFormula formula, double* scores)
{
    private readonly BleuStatistics* _statistics = statistics;
    private readonly BleuFormula _formula = formula;
    private readonly double* _scores = scores;

    public void Put(int candidate, in BleuStatistics counted)
    {
        if (_statistics != null)
            _statistics[candidate] = counted;
        if (_scores != null)
            _formula.Score(counted, _scores + (long)candidate * _formula.SetCount);
    }
}
